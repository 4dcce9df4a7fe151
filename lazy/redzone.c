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
 * padding, with no branch across it, ends a function: what came before is forgotten.
 *
 * Where bytes before the site are no instruction there is data (a table, a pool of constants), and nobody knows where
 * code begins again. Then the window is read twice, and a touch found either way counts:
 *   whole, stepping over the data byte by byte: no function ends, no call proves anything, nothing is forgotten;
 *   from each of the RESTARTS offsets behind the data, as if a function began there: the true beginning is one of them.
 *
 * After the site, control flow is followed, both ways at conditional jumps, each path up to a ret, an unknown target, a
 * call (whose callee may overwrite all that lies under rsp: nothing lives there across it) or the end of the window.
 * Where that takes more than MOST_STEPS instructions or MOST_PATHS open branches, or meets bytes that the decoder
 * doesn't know, the slot counts as used. (The window holds about 80 instructions. With 64 steps 9 sites of Debian 12's
 * libc and ld.so would be refused for that reason alone, pthread_cond_signal's among them; with 128 none.)
 *
 * A touch through rbp counts when the window doesn't show what rbp is. It doesn't count when the same function
 *   has a call: then it is no leaf, and compilers leave the red zone alone;
 *   has a `lea -n(%rbp),%rsp`: then rsp moves about in its body, with the same consequence;
 *   has a `pop %rbp` on the way out, which tells that rbp points to where the level is then, and that is not the slot.
 * A `leave` proves nothing: a leaf with more than 128 bytes of locals allocates only the part that the red zone can't
 * hold, and ends in one.
 *
 * Not seen: a red zone reached through a copy of rsp in another register; evidence outside the window, or right behind
 * data that can be taken for instructions.
 */
#include "lazy/redzone.h"
#include "lazy/bytes.h"
#include "lazy/decoder.h"
#include "base/poison.h"

enum { SLOT = 8, RED_ZONE = 128, MOST_TOUCHES = 64, MOST_PATHS = 16, MOST_STEPS = 128, MOST_TRIES = 8, SYNCHRONISE = 24,
       RESTARTS = 32, LONGEST_INSN = 15 };
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
	bool is_full;              /* there were more touches than room, or more code after the site than can be read */
	bool has_data;             /* before the site: step over it */
	unsigned near, restart;    /* decoding from near on arrives at the site; restart: behind the last data before it */
	bool has_no_red_zone;      /* proven, as far as compilers go: is_proof() */
	bool is_rbp_found;         /* by a pop: rbp at the site is rbp_found */
	int rbp_found;
	unsigned paths, steps;     /* open branches; instructions read after the site */
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

/* One instruction before the site, at `at`. */
static void step_before(struct scan *scan, unsigned at, const struct zl_insn *insn, int *farthest)
{
	note_touch(scan, insn);
	move_view(&scan->view, insn);
	if (insn->rbp == ZL_RBP_FRAME)
		scan->has_no_red_zone = false;  /* calls before it may be of another function, which ended in one */
	if (is_proof(insn) && !scan->has_data)
		scan->has_no_red_zone = true;
	if (insn->target > 0 && *farthest < (int)at + insn->target)
		*farthest = (int)at + insn->target;
	if (scan->view.level < scan->lowest || insn->rbp == ZL_RBP_FRAME)
		scan->lowest = scan->view.level;
}

/* Read from `at` on. Returns whether that arrives at the site; always, if has_data. */
static bool scan_before(struct scan *scan, unsigned at)
{
	const struct zl_code *code = scan->code;
	bool has_ended = false;
	struct zl_insn insn;
	int farthest = 0;

	begin_function(scan);
	while (at < code->site_offset && !scan->is_full) {
		int length = zl_decoder->decode(code->bytes + at, code->size - at, &insn);
		bool is_data = length == 0 || at + (unsigned)length > code->site_offset;

		if (is_data && !scan->has_data)
			return false;
		if (is_data) {
			scan->view.level = scan->lowest;   /* what follows is reached by a jump */
			at++;
			if (at <= scan->near)
				scan->restart = at;
			continue;
		}
		if (has_ended && insn.is_padding && farthest <= (int)at && !scan->has_data)
			begin_function(scan);
		step_before(scan, at, &insn, &farthest);
		has_ended = insn.flow == ZL_FLOW_END || insn.flow == ZL_FLOW_JUMP || (has_ended && insn.is_padding);
		if (has_ended)
			scan->view.level = scan->lowest;
		at += insn.length;
	}
	return true;
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

/* Read as much as possible of the code before the site: all of it that decodes, or all, data included. */
static void scan_path(struct scan *scan)
{
	const struct zl_code *code = scan->code;
	unsigned near = scan->near;
	bool is_cut = code->site_offset < ZL_JUDGE_BEFORE;

	for (unsigned from = 0; from < MOST_TRIES; from++) {
		unsigned at = is_cut ? from : synchronise(code, from);

		if (at >= near)
			break;
		if (scan_before(scan, at))
			return;
	}
	scan->has_data = near > 0;
	(void)scan_before(scan, 0);
}

/* Remember to go on at `at`, if the window shows the code there. */
static void add_path(struct scan *scan, int at)
{
	if (at < 0 || at >= (int)scan->code->size)
		return;
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

	if (at >= code->size || is_seen(scan, at))
		return false;
	if (scan->steps++ == MOST_STEPS) {
		scan->is_full = true;
		return false;
	}
	if (zl_decoder->decode(code->bytes + at, code->size - at, &insn) == 0) {
		scan->is_full = code->size - at >= LONGEST_INSN;   /* else it may go on outside the window */
		return false;
	}
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
	unsigned length;

	scan->paths = scan->steps = 0;
	for (unsigned i = 0; i < sizeof scan->seen; i++)
		scan->seen[i] = 0;
	add_path(scan, (int)scan->code->site_offset + ZL_SITE_SIZE);
	while (scan->paths != 0 && !scan->is_full) {
		struct path path = scan->path[--scan->paths];

		scan->view = path.view;
		while (!scan->is_full && step_after(scan, path.at, &length))
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

/* With the code before the site read: what the code after it tells, and the answer. */
static bool conclude(struct scan *scan)
{
	struct view site = scan->view;

	scan_after(scan);
	for (unsigned i = 0; i < scan->touches; i++)
		if (covers_slot(scan, &scan->touch[i], &site))
			return true;
	return scan->is_full;
}

/* The answer when code is read from `at` on, as if a function began there. */
static bool is_used_from(struct scan *scan, unsigned at)
{
	scan->is_rbp_found = scan->has_data = false;
	return scan_before(scan, at) && conclude(scan);
}

bool zl_redzone_is_used(const struct zl_code *code, unsigned near)
{
	struct scan scan;
	unsigned end;

	scan.code = code;
	scan.near = near;
	scan.restart = 0;
	scan.is_full = scan.is_rbp_found = scan.has_data = false;
	scan_path(&scan);
	if (conclude(&scan))
		return true;
	if (!scan.has_data)
		return false;
	end = scan.restart + RESTARTS < near ? scan.restart + RESTARTS : near;
	for (unsigned at = scan.restart; at < end; at++)
		if (is_used_from(&scan, at))
			return true;
	return is_used_from(&scan, near);
}
