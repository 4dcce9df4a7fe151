/* redzone.c - does the code around a site keep anything in the eight bytes under the stack pointer?
 *
 * `call *%rax` writes [-8,0)(%rsp): the slot. The ABI lets a function use 128 bytes under rsp without allocating
 * them, and the kernel never touches them, so data may live there across a system call (a leaf function's locals)
 * and buffers may be passed from there (fcntl's F_GETOWN, __longjmp_chk). zl_judge() calls this for a site that is
 * known to be an instruction of its own, in code whose function is not known: a window of bytes around it.
 *
 * One instruction is known to begin there, the site, and one direction is known: forward. What lies in the slot
 * across the call is used after it, by an instruction that control flow leads to from the site, or through an address
 * that was made before. So:
 *
 *   1. Without a byte in the window that may belong to an operand under rsp or rbp, the slot is free.
 *   2. Control flow is followed from the site on, both ways at conditional jumps, each path up to a ret, an unknown
 *      target, a call (whose callee may overwrite all that lies under rsp: nothing lives there across it) or the end of
 *      the window. A touch of the slot means that it is used: an access, or a lea, at a negative displacement from rsp,
 *      followed through push, sub and so on (`level`), or from an rbp that may be a frame pointer. An access touches its
 *      bytes; a lea, and an access with an index, everything from its address up, for a buffer may begin there.
 *   3. Before the site nothing is decoded: nobody knows where instructions begin, or the function. Whatever looks like
 *      an operand under rsp or rbp there means that the slot is used: the address that is made may lie farther off.
 *   4. Where some path leaves the window, or ends in an indirect jump, so does whatever looks like one after the site:
 *      the path may come to it.
 *   5. Where following takes more than ZL_MOST_DECODED instructions in all or MOST_PATHS open branches, or meets bytes
 *      that the decoder doesn't know, the slot counts as used.
 *
 * An operand under rbp is excused when the paths from the site show that the function
 *   has a call: then it is no leaf, and compilers leave the red zone alone (which excuses accesses under rsp, too, that
 *   lie before the site or where no path comes to);
 *   has a `lea -n(%rbp),%rsp`: then rsp moves about in its body, with the same consequence;
 *   has a `pop %rbp` on the way out, which tells that rbp points to where the level is then, and that is not the slot;
 *   returns with rbp as it is: then that is its caller's, and no frame pointer of its own.
 * A `leave` proves nothing: a leaf with more than 128 bytes of locals allocates only the part that the red zone can't
 * hold, and ends in one. Nor does anything behind it, or behind the pop: a jump there may lead to another function.
 *
 * Nothing lives lower than 128 bytes under rsp, but an address may be made that lies before what it is used for: down to
 * LOWEST_ADDRESS it counts. A lea from lower down is a stack probe.
 *
 * Not seen: a red zone reached through a copy of rsp in another register; evidence outside the window.
 */
#include "lazy/redzone.h"
#include "lazy/bytes.h"
#include "lazy/operand.h"
#include "lazy/view.h"
#include "base/poison.h"

enum { MOST_PATHS = 16, LONGEST_INSN = 15, RET = 0xc3, GROUP_5 = 0xff, LOWEST_ADDRESS = -2 * ZL_ABI_RED_ZONE,
       WINDOW = ZL_JUDGE_BEFORE + ZL_JUDGE_AFTER };

/* Under an rbp that is not known. */
struct touch {
	int at;
	uint32_t size;             /* 0: up from there */
};

struct path { unsigned at; struct zl_view view; };

/* Levels are relative to rsp at the site. */
struct scan {
	struct zl_reading *reading;
	const struct zl_code *code;
	struct zl_view view;
	bool is_full;              /* there is more code than can be read */
	bool is_lost;              /* some way from the site leads out of the window */
	bool has_evidence;         /* a touch of the slot was found */
	bool has_no_red_zone;      /* proven, as far as compilers go: zl_view_is_proof() */
	bool is_rbp_callers;       /* at the site: nothing puts it back before a ret */
	bool is_rbp_found;         /* by a pop: rbp at the site is rbp_found */
	int rbp_found;
	unsigned paths;            /* open branches */
	unsigned touches;          /* each instruction is looked at once */
	struct touch touch[ZL_MOST_DECODED];
	struct path path[MOST_PATHS];
	uint8_t seen[WINDOW / 8];
};

/* Whether `size` bytes at `at` from the site's rsp (0: all from there up) may concern the slot. */
static bool covers_slot(int at, uint32_t size)
{
	if (size != 0)
		return zl_view_covers(at, size);
	return at < 0 && at >= LOWEST_ADDRESS;
}

/* The same, from rbp. */
static bool covers_slot_by_rbp(const struct scan *scan, int at, uint32_t size)
{
	if (scan->has_no_red_zone || scan->is_rbp_callers)
		return false;
	return !scan->is_rbp_found || covers_slot(at + scan->rbp_found, size);
}

/* Take note of the instruction's touch, if it has one. */
static void note_touch(struct scan *scan, const struct zl_insn *insn)
{
	const struct zl_view *view = &scan->view;
	bool by_rbp = insn->base == ZL_BASE_RBP;

	if (insn->base == ZL_BASE_NONE || (by_rbp && view->rbp_kind == ZL_IS_DATA))
		return;
	if (by_rbp && view->rbp_kind == ZL_IS_UNKNOWN)
		scan->touch[scan->touches++] = (struct touch){ .at = insn->displacement, .size = insn->size };
	else if (by_rbp)
		scan->has_evidence = scan->has_evidence || covers_slot(view->rbp + insn->displacement, insn->size);
	else if (insn->displacement >= LOWEST_ADDRESS)
		scan->has_evidence = scan->has_evidence || view->is_loose ||
				     covers_slot(view->level + insn->displacement, insn->size);
}

/* Remember to go on at `at`, if the window shows the code there. */
static void add_path(struct scan *scan, int at)
{
	if (at < 0 || at >= (int)scan->code->size) {
		scan->is_lost = true;
		return;
	}
	if (scan->paths == MOST_PATHS) {
		scan->is_full = true;
		return;
	}
	scan->path[scan->paths].at = (unsigned)at;
	scan->path[scan->paths++].view = scan->view;
}

static bool is_seen(struct scan *scan, unsigned at)
{
	bool was = scan->seen[at / 8] >> at % 8 & 1;

	scan->seen[at / 8] |= (uint8_t)(1u << at % 8);
	return was;
}

/* Take note of what a pop tells of rbp, which was pushed right before it was set, if it is a frame pointer. */
static void note_pop(struct scan *scan)
{
	const struct zl_view *view = &scan->view;

	if (view->rbp_kind != ZL_IS_UNKNOWN || view->is_loose)
		return;
	if (scan->is_rbp_found && scan->rbp_found != view->level)
		scan->has_evidence = true;   /* that contradicts another one: nothing is known */
	scan->is_rbp_found = true;
	scan->rbp_found = view->level;
}

/* Follow what the instruction does to rsp and rbp. */
static void move_view(struct scan *scan, const struct zl_insn *insn)
{
	bool is_pop = insn->stack == ZL_STACK_POP_RBP;
	bool is_leave = insn->stack == ZL_STACK_FROM_RBP && insn->amount == ZL_SLOT;

	if (is_pop)
		note_pop(scan);
	zl_view_move(&scan->view, insn);
	if (is_pop || is_leave)
		scan->view.rbp_kind = ZL_IS_DATA;
	if (zl_view_is_proof(insn) && scan->view.rbp_kind != ZL_IS_DATA)
		scan->has_no_red_zone = true;
}

/* One instruction at `at`. Returns whether the next one follows. */
static bool step(struct scan *scan, unsigned at, unsigned *length)
{
	const struct zl_code *code = scan->code;
	const struct zl_insn *insn;

	if (at >= code->size) {
		scan->is_lost = true;
		return false;
	}
	if (is_seen(scan, at))
		return false;
	insn = zl_read(scan->reading, at);
	if (!insn || insn->length == 0) {
		bool is_cut = insn && code->size - at < LONGEST_INSN;   /* it may go on outside the window */

		scan->is_lost = scan->is_lost || is_cut;
		scan->is_full = scan->is_full || !is_cut;
		return false;
	}
	*length = insn->length;
	scan->is_lost = scan->is_lost || insn->flow == ZL_FLOW_AWAY;
	note_touch(scan, insn);
	move_view(scan, insn);
	if (code->bytes[at] == RET && scan->view.rbp_kind == ZL_IS_UNKNOWN)
		scan->is_rbp_callers = true;
	if (insn->flow == ZL_FLOW_BRANCH || insn->flow == ZL_FLOW_JUMP)
		add_path(scan, (int)at + insn->target);
	return insn->flow == ZL_FLOW_NEXT || insn->flow == ZL_FLOW_BRANCH || insn->flow == ZL_FLOW_SYSCALL;
}

/* Follow the flow from the site on. */
static void follow(struct scan *scan)
{
	unsigned length;

	scan->view = (struct zl_view){ .level = 0, .rbp_kind = ZL_IS_UNKNOWN };
	add_path(scan, (int)scan->code->site_offset + ZL_SITE_SIZE);
	while (scan->paths != 0 && !scan->is_full) {
		struct path path = scan->path[--scan->paths];

		scan->view = path.view;
		while (!scan->is_full && step(scan, path.at, &length))
			path.at += length;
	}
	for (unsigned i = 0; i < scan->touches; i++)
		scan->has_evidence = scan->has_evidence ||
				     covers_slot_by_rbp(scan, scan->touch[i].at, scan->touch[i].size);
}

/* Whether the operand, if it is one, is that of an indirect call or jump, or pushed: none of them stores there or makes
 * an address, and no compiler keeps their operands in a red zone. */
static bool is_fetched(const struct zl_code *code, const struct zl_operand *operand)
{
	unsigned extension = code->bytes[operand->at] >> 3 & 7;

	return operand->at > 0 && code->bytes[operand->at - 1] == GROUP_5 && extension >= 2 && extension <= 6;
}

/* Whether code that was not followed may use the slot: what lies before the site; where some path gets lost, all. */
static bool may_be_used(const struct scan *scan)
{
	const struct zl_code *code = scan->code;
	unsigned end = scan->is_lost ? code->size : code->site_offset;
	struct zl_operand operand;

	for (unsigned at = 0; zl_operand_find(code, at, end, &operand); at = operand.at + 1) {
		if (!scan->is_lost && is_fetched(code, &operand))
			continue;
		if (operand.by_rbp ? covers_slot_by_rbp(scan, operand.displacement, 0) :
		    operand.displacement >= LOWEST_ADDRESS && (operand.is_address || !scan->has_no_red_zone))
			return true;
	}
	return false;
}

enum zl_verdict zl_redzone_judge(struct zl_reading *reading)
{
	struct zl_operand operand;
	struct scan scan;

	if (!zl_operand_find(reading->code, 0, reading->code->size, &operand))
		return ZL_OK;
	scan.reading = reading;
	scan.code = reading->code;
	scan.is_full = scan.is_lost = scan.has_evidence = scan.has_no_red_zone = false;
	scan.is_rbp_callers = scan.is_rbp_found = false;
	scan.rbp_found = 0;
	scan.paths = scan.touches = 0;
	for (unsigned i = 0; i < sizeof scan.seen; i++)
		scan.seen[i] = 0;
	follow(&scan);
	if (scan.has_evidence || (!scan.is_full && may_be_used(&scan)))
		return ZL_RED_ZONE;
	if (scan.is_full)
		return zl_reading_left(reading) != 0 ? ZL_RED_ZONE : ZL_TOO_LONG;
	return ZL_OK;
}
