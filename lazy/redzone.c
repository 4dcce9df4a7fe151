/* redzone.c - does the code around a site keep anything in the eight bytes under the stack pointer?
 *
 * `call *%rax` writes [-8,0)(%rsp): the slot. The ABI lets a function use 128 bytes under rsp without allocating
 * them, and the kernel never touches them, so data may live there across a system call (a leaf function's locals)
 * and buffers may be passed from there (fcntl's F_GETOWN, __longjmp_chk). zl_judge() calls this for a site that is
 * known to be an instruction of its own.
 *
 * Evidence is a touch: an access, or a lea, at a negative displacement from rsp, or from an rbp that may be a frame
 * pointer. An access touches its bytes; a lea, and an access with an index, touches everything from its address up,
 * for a buffer may begin there. Lower than 128 bytes under rsp nothing can live: such a lea is a stack probe.
 *
 * Touches are compared with the slot in one scale: bytes relative to rsp at the beginning of the window, followed
 * through push, sub and so on (`level`). So `mov %rbx,-8(%rsp); sub $24,%rsp; ...; syscall` is fine, and so is
 * -4(%rbp) after `mov %rsp,%rbp; sub $16,%rsp`, but not without the sub.
 *
 * Before the site, the decoding path that leads to it is read in address order. Code after a ret or a jump is reached
 * from elsewhere in the function, after its prologue: the level is the lowest one seen. A ret or jump followed by
 * padding, with no branch across it, ends a function: what came before is forgotten. After the site, control flow is
 * followed, both ways at conditional jumps, for 64 instructions within the window, each path up to a ret, an unknown
 * target or a call (whose callee may overwrite all that lies under rsp: nothing lives there across it).
 *
 * When the window doesn't show what rbp is, a touch through it counts, unless the same function has a call (then it is
 * no leaf, and compilers leave the red zone alone) or a `lea -n(%rbp),%rsp` (nor where rsp moves in the body), or a
 * `pop %rbp` on the way out tells that rbp points to where the level is then. A `leave` proves nothing: a leaf with
 * more than 128 bytes of locals allocates only the part that the red zone can't hold, and ends in one.
 *
 * Not seen: a red zone reached through a copy of rsp in another register, or only from outside the window.
 */
#include "lazy/redzone.h"
#include "lazy/decoder.h"
#include "base/poison.h"

enum { SLOT = 8, RED_ZONE = 128, MOST_TOUCHES = 64, MOST_PATHS = 16, MOST_STEPS = 64, MOST_TRIES = 8, SYNCHRONISE = 24 };
enum rbp_kind { RBP_UNKNOWN, RBP_FRAME, RBP_DATA };

/* rsp and rbp at one instruction, relative to rsp at the beginning of the window. */
struct view {
	int level;                 /* rsp; no more than an estimate if is_loose */
	int rbp;                   /* if rbp_kind == RBP_FRAME */
	uint8_t rbp_kind;          /* enum rbp_kind */
	bool is_loose;             /* rsp was moved by an unknown amount */
};

struct touch {
	int at;                    /* in the scale of struct view; if by_rbp, relative to an unknown rbp */
	uint32_t size;             /* 0: up from there */
	bool by_rbp;
};

struct path { unsigned at; struct view view; };

struct scan {
	const struct zl_code *code;
	struct view view;
	int lowest;                /* of view.level in this function, before the site */
	unsigned touches;
	bool is_full;              /* there were more touches than room */
	bool has_no_red_zone;      /* proven, as far as compilers go: is_proof() */
	bool is_rbp_found;         /* by a pop: rbp at the site is rbp_found */
	int rbp_found;
	unsigned paths;
	struct touch touch[MOST_TOUCHES];
	struct path path[MOST_PATHS];
	uint8_t seen[(ZL_JUDGE_BEFORE + ZL_JUDGE_AFTER) / 8];
};

/* One-byte opcodes with a ModRM byte, 64 to a word. */
static const uint64_t has_mod_rm[4] = {
	0x0f0f0f0f0f0f0f0f, /* 00-3f: the first four of every eight */
	0x00000a0800000000, /* 63 69 6b */
	0x000000000000ffff, /* 80-8f */
	0xc0c00000ff0f00c3, /* c0 c1 c6 c7, d0-d3, d8-df, f6 f7, fe ff */
};

/* Whether the byte at `at` may be a ModRM byte: whether an opcode that has one, or an escape, stands before it. */
static bool may_be_mod_rm(const uint8_t *bytes, unsigned at)
{
	const uint8_t *p = bytes + at;

	if (at < 5 || has_mod_rm[p[-1] >> 6] >> (p[-1] & 63) & 1)
		return true;
	return p[-2] == 0x0f || p[-3] == 0x0f || p[-3] == 0xc5 || p[-4] == 0xc4 || p[-4] == 0x8f || p[-5] == 0x62;
}

/* Whether a ModRM byte at p (of `left` bytes) names rsp or rbp, or r12 or r13, with a negative displacement. */
static bool is_negative_operand(const uint8_t *p, unsigned left)
{
	unsigned mod_rm = p[0] & 0xc7, has_sib = (mod_rm & 7) == 4, disp = 1 + has_sib;

	if (mod_rm != 0x44 && mod_rm != 0x45 && mod_rm != 0x84 && mod_rm != 0x85)
		return false;
	if (has_sib && (left < 2 || ((p[1] & 7) != 4 && (p[1] & 7) != 5)))
		return false;
	if (mod_rm < 0x80)
		return left > disp && p[disp] >= 0x80;
	return left > disp + 3 && p[disp + 3] >= 0x80;
}

bool zl_redzone_may_matter(const struct zl_code *code)
{
	for (unsigned at = 0; at < code->size; at++)
		if (is_negative_operand(code->bytes + at, code->size - at) && may_be_mod_rm(code->bytes, at))
			return true;
	return false;
}

/* Add the instruction's touch, if it has one. */
static void note_touch(struct scan *scan, const struct zl_insn *insn)
{
	const struct view *view = &scan->view;
	struct touch *touch = &scan->touch[scan->touches];
	bool by_rbp = insn->base == ZL_BASE_RBP;

	if (insn->base == ZL_BASE_NONE || (by_rbp && view->rbp_kind == RBP_DATA))
		return;
	if (!by_rbp && insn->displacement < -RED_ZONE)
		return;
	scan->is_full = scan->touches == MOST_TOUCHES;
	if (scan->is_full)
		return;
	touch->by_rbp = by_rbp && view->rbp_kind == RBP_UNKNOWN;
	touch->at = insn->displacement + (touch->by_rbp ? 0 : by_rbp ? view->rbp : view->level);
	touch->size = view->is_loose ? 0 : insn->size;
	scan->touches++;
}

/* rsp becomes something unknown: count as if it had stayed, but trust no sizes. */
static void lose_level(struct view *view)
{
	view->is_loose = true;
	if (view->rbp_kind == RBP_FRAME)
		view->rbp_kind = RBP_UNKNOWN;
}

/* Whether compilers use no red zone in a function with this instruction: a call, or rsp put back from rbp, which
 * tells that rsp is moved about in the body. */
static bool is_proof(const struct zl_insn *insn)
{
	return insn->flow == ZL_FLOW_CALL || (insn->stack == ZL_STACK_FROM_RBP && insn->amount < 0);
}

/* Follow the instruction's change of rsp and rbp. */
static void move_view(struct view *view, const struct zl_insn *insn)
{
	if (insn->rbp == ZL_RBP_FRAME) {
		view->rbp = view->level + insn->frame_offset;
		view->rbp_kind = view->is_loose ? RBP_UNKNOWN : RBP_FRAME;
	} else if (insn->rbp == ZL_RBP_OTHER) {
		view->rbp_kind = RBP_DATA;
	}
	switch (insn->stack) {
	case ZL_STACK_MOVE:
		view->level += insn->amount;
		break;
	case ZL_STACK_DOWN:
		view->is_loose = true;
		break;
	case ZL_STACK_POP_RBP:
		view->level += SLOT;
		break;
	case ZL_STACK_FROM_RBP:
		if (view->rbp_kind != RBP_FRAME) {
			lose_level(view);
			break;
		}
		view->level = view->rbp + insn->amount;
		view->is_loose = false;
		break;
	case ZL_STACK_OTHER:
		lose_level(view);
		break;
	}
}

static void begin_function(struct scan *scan)
{
	scan->view = (struct view){ .level = 0, .rbp_kind = RBP_UNKNOWN };
	scan->lowest = 0;
	scan->touches = 0;
	scan->has_no_red_zone = false;
}

/* Read from `at` on. Returns whether that arrives at the site. */
static bool scan_before(struct scan *scan, unsigned at)
{
	const struct zl_code *code = scan->code;
	bool has_ended = false;
	struct zl_insn insn;
	int farthest = 0;

	begin_function(scan);
	while (at < code->site_offset && !scan->is_full) {
		if (zl_decoder->decode(code->bytes + at, code->size - at, &insn) == 0)
			return false;
		if (has_ended && insn.is_padding && farthest <= (int)at)
			begin_function(scan);
		note_touch(scan, &insn);
		move_view(&scan->view, &insn);
		if (insn.rbp == ZL_RBP_FRAME)
			scan->has_no_red_zone = false;  /* calls before it may be of another function, which ended in one */
		if (is_proof(&insn))
			scan->has_no_red_zone = true;
		if (insn.target > 0 && farthest < (int)at + insn.target)
			farthest = (int)at + insn.target;
		if (scan->view.level < scan->lowest || insn.rbp == ZL_RBP_FRAME)
			scan->lowest = scan->view.level;
		has_ended = insn.flow == ZL_FLOW_END || insn.flow == ZL_FLOW_JUMP || (has_ended && insn.is_padding);
		if (has_ended)
			scan->view.level = scan->lowest;
		at += insn.length;
	}
	return at == code->site_offset || scan->is_full;
}

/* Go on from an arbitrary offset until decoding has most likely found the true instructions. */
static unsigned synchronise(const struct zl_code *code, unsigned from)
{
	unsigned at = from;

	while (at < from + SYNCHRONISE) {
		int length = zl_decoder->length(code->bytes + at, code->size - at);

		at += length != 0 ? (unsigned)length : 1;
	}
	return at;
}

/* Read as much as possible of the code before the site; from `near` on if nothing better arrives there. */
static void scan_path(struct scan *scan, unsigned near)
{
	const struct zl_code *code = scan->code;
	bool is_cut = code->site_offset < ZL_JUDGE_BEFORE;

	for (unsigned from = 0; from < MOST_TRIES; from++) {
		unsigned at = is_cut ? from : synchronise(code, from);

		if (at >= near)
			break;
		if (scan_before(scan, at))
			return;
	}
	(void)scan_before(scan, near);
}

/* Remember to go on at `at`; where nothing is known of the code there, or no room, don't. */
static void add_path(struct scan *scan, int at)
{
	if (at < 0 || at >= (int)scan->code->size || scan->paths == MOST_PATHS)
		return;
	scan->path[scan->paths].at = (unsigned)at;
	scan->path[scan->paths++].view = scan->view;
}

static bool is_seen(struct scan *scan, unsigned at)
{
	bool was = scan->seen[at / 8] >> at % 8 & 1;

	scan->seen[at / 8] |= (uint8_t)(1u << at % 8);
	return was;
}

/* Take note of a way out of the function: rbp was pushed right before it was set, if it is a frame pointer. */
static void note_exit(struct scan *scan, const struct zl_insn *insn)
{
	struct view *view = &scan->view;

	if (insn->stack != ZL_STACK_POP_RBP)
		return;
	if (view->rbp_kind == RBP_UNKNOWN && !view->is_loose) {
		scan->is_rbp_found = true;
		scan->rbp_found = view->level;
	}
	view->rbp_kind = RBP_DATA;
}

/* One instruction at `at` of the code after the site. Returns whether the next one follows. */
static bool step_after(struct scan *scan, unsigned at, unsigned *length)
{
	const struct zl_code *code = scan->code;
	struct zl_insn insn;

	if (at >= code->size || is_seen(scan, at) ||
	    zl_decoder->decode(code->bytes + at, code->size - at, &insn) == 0)
		return false;
	*length = insn.length;
	note_touch(scan, &insn);
	note_exit(scan, &insn);
	move_view(&scan->view, &insn);
	if (insn.flow == ZL_FLOW_BRANCH || insn.flow == ZL_FLOW_JUMP)
		add_path(scan, (int)at + insn.target);
	if (is_proof(&insn) && scan->view.rbp_kind != RBP_DATA)
		scan->has_no_red_zone = true;
	return insn.flow == ZL_FLOW_NEXT || insn.flow == ZL_FLOW_BRANCH || insn.flow == ZL_FLOW_SYSCALL;
}

/* Follow the flow from the site on. */
static void scan_after(struct scan *scan)
{
	unsigned steps = 0, length;

	scan->paths = 0;
	for (unsigned i = 0; i < sizeof scan->seen; i++)
		scan->seen[i] = 0;
	add_path(scan, (int)scan->code->site_offset + 2);
	while (scan->paths != 0 && steps < MOST_STEPS && !scan->is_full) {
		struct path path = scan->path[--scan->paths];

		scan->view = path.view;
		while (steps++ < MOST_STEPS && step_after(scan, path.at, &length))
			path.at += length;
	}
}

/* Whether the touch may concern the slot under `site`. */
static bool covers_slot(const struct scan *scan, const struct touch *touch, const struct view *site)
{
	int at = touch->at - site->level;

	if (touch->by_rbp && scan->has_no_red_zone)
		return false;
	if (touch->by_rbp && !scan->is_rbp_found)
		return true;
	if (touch->by_rbp)
		at += scan->rbp_found;
	if (at >= 0 || at < -RED_ZONE)
		return false;
	return touch->size == 0 || site->is_loose || at + (int)touch->size > -SLOT;
}

bool zl_redzone_is_used(const struct zl_code *code, unsigned near)
{
	struct scan scan;
	struct view site;

	scan.code = code;
	scan.is_full = scan.is_rbp_found = false;
	scan_path(&scan, near);
	site = scan.view;
	scan_after(&scan);
	for (unsigned i = 0; i < scan.touches; i++)
		if (covers_slot(&scan, &scan.touch[i], &site))
			return true;
	return scan.is_full;
}
