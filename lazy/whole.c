/* whole.c - does a known function keep anything in the eight bytes under the stack pointer?
 *
 * `call *%rax` writes [-8,0)(%rsp): the slot. The ABI lets a function use 128 bytes under rsp without allocating
 * them, and the kernel never touches them, so data may live there across a system call (a leaf function's locals)
 * and buffers may be passed from there (fcntl's F_GETOWN, __longjmp_chk).
 *
 * Evidence is a touch: an access, or a lea, at a negative displacement from rsp, or from an rbp that is the frame
 * pointer. An access touches its bytes; a lea, and an access with an index, touches everything from its address up,
 * for a buffer may begin there. Lower than 128 bytes under rsp nothing can live: such a lea is a stack probe.
 *
 * As little as possible is decoded:
 *   1. The bytes tell where a touch may be (operand.c). Most functions have none.
 *   2. The unwind table tells how far rsp, or rbp, is from the CFA there and at the site, so the touch can be compared
 *      with the slot. Most are elsewhere: `mov %rbx,-8(%rsp); sub $24,%rsp; ...; syscall`.
 *   3. What is left may be no touch at all: a base of r12 or r13, a part of an immediate. It is decoded, from the
 *      nearest place where an instruction is known to begin. Where that is too far, a function with a call is believed
 *      not to have a red zone.
 *   4. A touch matters if control flow leads from it to the site, or, for an access, from the site to it, without
 *      a call between, whose callee may overwrite all that lies under rsp.
 *
 * In a function with a frame pointer the table tells where rbp is, but not rsp, and there are touches through rbp
 * everywhere. They don't count if the function
 *   has a call: then it is no leaf, and compilers leave the red zone alone;
 *   has a `lea -n(%rbp),%rsp`: then rsp moves about in its body, with the same consequence.
 * A `leave` proves nothing: a leaf with more than 128 bytes of locals allocates only the part that the red zone can't
 * hold, and ends in one. A table that says nothing of a mov %rsp,%rbp is one of hand-written code: the same, but then
 * nothing else helps. Otherwise the code from the frame pointer on is read to its end, which shows where rsp is.
 *
 * Not seen: a red zone reached through a copy of rsp in another register; the other part of a function that the
 * compiler has split in two. Believed: the table; compilers' are true at each instruction.
 */
#include "lazy/whole.h"
#include "base/string.h"
#include "lazy/bytes.h"
#include "lazy/operand.h"
#include "lazy/view.h"
#include "base/poison.h"

enum weight { HARMLESS, ACCESSED, BY_FRAME, USED, TOO_FAR };
enum { CALL = 0xe8, CALL_SIZE = 5, MOST_CALLS = 16, CALL_REACH = 24, DECODE_REACH = 96, MOST_PATHS = 16, NEVER = -1 };

struct whole {
	struct zl_reading *reading;
	const struct zl_code *code;
	const struct zl_row *site;     /* what the table says of the site */
	unsigned known;                /* an instruction begins here */
	bool has_untold_frame;
	bool has_proof, has_looked;    /* that compilers leave the red zone alone; whether that was asked */
};

static unsigned behind_site(const struct whole *whole)
{
	return whole->code->site_offset + ZL_SITE_SIZE;
}

/* Whether rbp may be a frame pointer although the table doesn't say so: after a mov %rsp,%rbp that it passes over. */
static bool has_untold_frame(const struct zl_code *code)
{
	enum { REX_W = 0x48, STORE = 0x89, RSP_TO_RBP = 0xe5, LOAD = 0x8b, RBP_FROM_RSP = 0xec, SIZE = 3 };

	for (unsigned at = 0; at + SIZE < code->size; at++) {
		const uint8_t *p = code->bytes + at;
		bool is_move = (p[1] == STORE && p[2] == RSP_TO_RBP) || (p[1] == LOAD && p[2] == RBP_FROM_RSP);

		if (p[0] == REX_W && is_move && zl_function_row(&code->function, at + SIZE)->base == ZL_CFA_RSP)
			return true;
	}
	return false;
}

/* A touch, or what may be one. BY_FRAME: can't be compared with the slot, for nobody knows where rsp is at the site. */
static enum weight weigh(const struct whole *whole, unsigned at, bool by_rbp, int displacement, uint32_t size)
{
	const struct zl_row *row = zl_function_row(&whole->code->function, at), *site = whole->site;

	if (by_rbp && row->base == ZL_CFA_RSP)
		return whole->has_untold_frame ? BY_FRAME : HARMLESS;
	if (!by_rbp && displacement < -ZL_ABI_RED_ZONE)
		return HARMLESS;
	if (site->base == ZL_CFA_RSP && row->base == (by_rbp ? ZL_CFA_RBP : ZL_CFA_RSP))
		return zl_view_covers(displacement - row->offset + site->offset, size) ? USED : HARMLESS;
	return by_rbp ? BY_FRAME : USED;
}

/* Whether the bytes have a direct call of a function: five bytes that happen to look like one hardly ever lead to where
 * one begins. */
static bool has_direct_call(const struct zl_code *code)
{
	unsigned looked = 0;
	int32_t distance;

	for (unsigned at = 0; at + CALL_SIZE <= code->size && looked < MOST_CALLS; at++) {
		uintptr_t target = code->function.begin + at + CALL_SIZE;

		if (code->bytes[at] != CALL)
			continue;
		memcpy(&distance, code->bytes + at + 1, sizeof(distance));
		target += (uintptr_t)(intptr_t)distance;
		if (target - code->function.begin < code->size)
			continue;
		looked++;
		if (zl_function_begins(target))
			return true;
	}
	return false;
}

/* Whether one of the next instructions behind the site, in the order of addresses, proves that there is no red zone. */
static bool has_proof_near(struct whole *whole)
{
	unsigned at = behind_site(whole);

	for (unsigned i = 0; i < CALL_REACH; i++) {
		const struct zl_insn *insn = zl_read(whole->reading, at);

		if (!insn || insn->length == 0)
			return false;
		if (zl_view_is_proof(insn))
			return true;
		at += insn->length;
	}
	return false;
}

/* Whether compilers would leave the red zone alone in this function. */
static bool has_proof(struct whole *whole)
{
	if (!whole->has_looked && !whole->code->function.has_gap)
		whole->has_proof = has_direct_call(whole->code) || has_proof_near(whole);
	whole->has_looked = true;
	return whole->has_proof;
}

/* Where decoding may begin to arrive at the instruction that has the byte at `at`. */
static unsigned boundary_before(const struct whole *whole, unsigned at)
{
	unsigned from = zl_function_row(&whole->code->function, at)->at;

	if (whole->known <= at && whole->known > from)
		from = whole->known;
	if (behind_site(whole) <= at && behind_site(whole) > from)
		from = behind_site(whole);
	return from;
}

/* Follow control flow from `from` on, each way up to a call or the end. USED: it comes to `to`, or to what is not
 * known, code outside of the function included, or, with is_looking, to a touch of the slot. */
static enum weight follow(struct whole *whole, unsigned from, unsigned to, bool is_looking)
{
	struct zl_reading *reading = whole->reading;
	unsigned path[MOST_PATHS] = { from }, paths = 1;
	uint64_t seen = 0;

	static_assert(ZL_MOST_DECODED <= 64, "seen");
	while (paths != 0) {
		unsigned at = path[--paths];

		for (;;) {
			const struct zl_insn *insn;
			unsigned i;

			if (at == to || at >= whole->code->size)
				return USED;
			insn = zl_read(reading, at);
			if (!insn)
				return TOO_FAR;
			i = zl_reading_index(reading, insn);
			if (insn->length == 0 || insn->flow == ZL_FLOW_AWAY)
				return USED;
			if (i < ZL_MOST_DECODED && seen >> i & 1)
				break;
			seen |= i < ZL_MOST_DECODED ? 1ull << i : 0;
			if (is_looking && insn->base != ZL_BASE_NONE &&
			    weigh(whole, at, insn->base == ZL_BASE_RBP, insn->displacement, insn->size) == USED)
				return USED;
			if (insn->flow == ZL_FLOW_BRANCH || insn->flow == ZL_FLOW_JUMP) {
				if (paths == MOST_PATHS)
					return TOO_FAR;
				path[paths++] = at + (unsigned)insn->target;
			}
			if (insn->flow == ZL_FLOW_CALL || insn->flow == ZL_FLOW_END || insn->flow == ZL_FLOW_JUMP)
				break;
			at += insn->length;
		}
	}
	return HARMLESS;
}

/* Decode the instruction that has the byte at `at`, and weigh it. */
static enum weight weigh_decoded(struct whole *whole, unsigned at)
{
	unsigned from = boundary_before(whole, at);
	const struct zl_insn *insn;
	enum weight weight;

	if (at - from > DECODE_REACH)
		return has_proof(whole) ? HARMLESS : TOO_FAR;
	for (;; from = whole->known) {
		insn = zl_read(whole->reading, from);
		if (!insn)
			return TOO_FAR;
		if (insn->length == 0)
			return USED;
		whole->known = from + insn->length;
		if (whole->known > at)
			break;
	}
	if (insn->base == ZL_BASE_NONE)
		return HARMLESS;
	weight = weigh(whole, from, insn->base == ZL_BASE_RBP, insn->displacement, insn->size);
	if (weight == USED)
		weight = follow(whole, whole->known, whole->code->site_offset, false);
	return weight == HARMLESS && insn->size != 0 ? ACCESSED : weight;
}

/* The worst of all touches in the function. */
static enum weight weigh_all(struct whole *whole)
{
	const struct zl_code *code = whole->code;
	enum weight worst = HARMLESS;
	bool is_accessed = false;
	struct zl_operand o;

	if (!zl_operand_find(code, 0, code->size, &o))
		return HARMLESS;
	whole->has_untold_frame = has_untold_frame(code);
	for (unsigned at = 0; worst < USED && zl_operand_find(code, at, code->size, &o); at = o.at + 1) {
		enum weight weight = weigh(whole, o.at, o.by_rbp, o.displacement, 0);

		if (weight == USED || (weight != BY_FRAME && o.is_scaled))
			weight = weigh_decoded(whole, o.at);
		is_accessed = is_accessed || weight == ACCESSED;
		if (weight > worst)
			worst = weight;
	}
	if (is_accessed && worst < USED) {
		enum weight weight = follow(whole, behind_site(whole), code->size, true);

		return weight != HARMLESS ? weight : worst == BY_FRAME ? BY_FRAME : HARMLESS;
	}
	return worst;
}

/* The index of the row with which rbp becomes the frame pointer, NEVER if that is not before the site. */
static int find_frame(const struct whole *whole)
{
	const struct zl_function *function = &whole->code->function;

	for (unsigned i = 1; i < function->rows && function->row[i].at <= whole->code->site_offset; i++)
		if (function->row[i].base == ZL_CFA_RBP && function->row[i - 1].base == ZL_CFA_RSP)
			return (int)i;
	return NEVER;
}

/* What is known of rsp and rbp where a row begins, relative to the CFA. */
static void enter_row(struct zl_view *view, const struct zl_row *row)
{
	if (row->base == ZL_CFA_RSP) {
		view->level = -row->offset;
		view->is_loose = false;
		view->rbp_kind = ZL_IS_DATA;
	} else if (row->base == ZL_CFA_RBP) {
		view->rbp = -row->offset;
		view->rbp_kind = ZL_IS_FRAME;
	} else {
		view->rbp_kind = ZL_IS_UNKNOWN;
	}
}

/* One touch through rbp, with rsp at the site being `level`. */
static bool is_used_by_frame(const struct zl_view *view, const struct zl_insn *insn, int level)
{
	if (insn->base != ZL_BASE_RBP || view->rbp_kind == ZL_IS_DATA)
		return false;
	return view->rbp_kind == ZL_IS_UNKNOWN || zl_view_covers(insn->displacement + view->rbp - level, insn->size);
}

/* Read from the row on that sets up the frame, up to `end`. With is_comparing touches are compared, *level being rsp
 * at the site; else rsp at `end` is stored there. HARMLESS: nothing was found. BY_FRAME: proof that there is no red
 * zone. */
static enum weight read_frame(const struct whole *whole, unsigned first, unsigned end, bool is_comparing, int *level)
{
	const struct zl_function *function = &whole->code->function;
	struct zl_view view = { .level = -function->row[first - 1].offset };
	int lowest = view.level;
	unsigned at = function->row[first].at, next = first;

	while (at < end) {
		const struct zl_insn *insn = zl_read(whole->reading, at);

		if (!insn)
			return TOO_FAR;
		if (insn->length == 0)
			return USED;
		for (; next < function->rows && function->row[next].at <= at; next++)
			enter_row(&view, &function->row[next]);
		if (zl_view_is_proof(insn))
			return BY_FRAME;
		if (is_comparing && is_used_by_frame(&view, insn, *level))
			return USED;
		zl_view_move(&view, insn);
		if (view.level < lowest)
			lowest = view.level;
		if (insn->flow == ZL_FLOW_END || insn->flow == ZL_FLOW_AWAY || insn->flow == ZL_FLOW_JUMP)
			view.level = lowest;           /* what follows is reached by a jump, after the prologue */
		at += insn->length;
	}
	if (!is_comparing)
		*level = view.level;
	return at == end ? HARMLESS : USED;
}

/* There are touches through rbp, and rbp is the frame pointer at the site. */
static enum zl_verdict judge_frame(struct whole *whole)
{
	int first = find_frame(whole), level = 0;
	enum weight weight;

	if (has_proof(whole))
		return ZL_OK;
	if (first == NEVER || whole->site->base != ZL_CFA_RBP)
		return ZL_RED_ZONE;
	weight = read_frame(whole, (unsigned)first, whole->code->site_offset, false, &level);
	if (weight == HARMLESS)
		weight = read_frame(whole, (unsigned)first, whole->code->size, true, &level);
	return weight == TOO_FAR ? ZL_TOO_LONG : weight == USED ? ZL_RED_ZONE : ZL_OK;
}

enum zl_verdict zl_whole_judge(struct zl_reading *reading)
{
	struct whole whole = { .reading = reading, .code = reading->code };

	whole.site = zl_function_row(&reading->code->function, reading->code->site_offset);
	switch (weigh_all(&whole)) {
	case HARMLESS:
		return ZL_OK;
	case BY_FRAME:
		return judge_frame(&whole);
	case TOO_FAR:
		return ZL_TOO_LONG;
	default:
		return ZL_RED_ZONE;
	}
}
