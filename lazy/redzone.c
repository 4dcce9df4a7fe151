/* redzone.c - does the code around a site keep anything in the eight bytes under the stack pointer?
 *
 * `call *%rax` writes [-8,0)(%rsp): the slot. The ABI lets a function use 128 bytes under rsp without allocating
 * them, and the kernel never touches them, so data may live there across a system call (a leaf function's locals)
 * and buffers may be passed from there (fcntl's F_GETOWN, __longjmp_chk). zl_judge() calls this for a site that is
 * known to be an instruction of its own, in code whose function is not known: a window of bytes around it.
 *
 * Evidence is a touch: an access, or a lea, at a negative displacement from rsp, or from an rbp that may be a frame
 * pointer. An access touches its bytes; a lea, and an access with an index, touches everything from its address up,
 * for a buffer may begin there. Lower than 128 bytes under rsp nothing can live: such a lea is a stack probe.
 *
 * Touches are compared with the slot in one scale: bytes relative to rsp at the beginning of the window, followed
 * through push, sub and so on (`level`). So `mov %rbx,-8(%rsp); sub $24,%rsp; ...; syscall` is fine, and so is
 * -4(%rbp) after `mov %rsp,%rbp; sub $16,%rsp`, but not without the sub.
 *
 * Before the site, the decoding path that leads to it is read in address order, as far as the instructions that may
 * still be decoded last. In what lies before that, what looks like a lea under rsp or rbp means that the slot counts as
 * used; and anything that looks like a touch does, if some path after the site leaves the window. Code after a ret or a
 * jump is reached from elsewhere in the function, after its prologue: the level is the lowest one seen. A ret or jump
 * followed by padding, with no branch across it, ends a function: what came before is forgotten.
 *
 * Where bytes before the site are no instruction there is data (a table, a pool of constants), and nobody knows where
 * code begins again. Then the window is read twice, and a touch found either way counts:
 *   whole, stepping over the data byte by byte: no function ends, no call proves anything, nothing is forgotten;
 *   from each of the RESTARTS offsets behind the data, as if a function began there: the true beginning is one of them.
 *
 * After the site, control flow is followed, both ways at conditional jumps, each path up to a ret, an unknown target, a
 * call (whose callee may overwrite all that lies under rsp: nothing lives there across it) or the end of the window.
 * Where that takes more than ZL_MOST_DECODED instructions in all or MOST_PATHS open branches, or meets bytes that the
 * decoder doesn't know, the slot counts as used.
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
#include "lazy/operand.h"
#include "lazy/view.h"
#include "base/poison.h"

enum { MOST_TOUCHES = 64, MOST_PATHS = 16, MOST_TRIES = 8, SYNCHRONISE = 24, RESTARTS = 32, LONGEST_INSN = 15,
       WINDOW = ZL_JUDGE_BEFORE + ZL_JUDGE_AFTER, BYTES_PER_INSN = 4 };

struct touch {
	int at;                    /* in the scale of struct zl_view; if by_rbp, relative to an unknown rbp */
	uint32_t size;             /* 0: up from there */
	bool by_rbp;
};

struct path { unsigned at; struct zl_view view; };

struct scan {
	struct zl_reading *reading;
	const struct zl_code *code;
	struct zl_view view;
	int lowest;                /* of view.level in this function, before the site */
	unsigned touches;
	bool is_full;              /* there were more touches than room, or more code than can be read */
	bool has_beginning;        /* the function's was seen, or nothing is before what was read */
	bool is_lost;              /* some way from the site leads out of the window */
	bool has_evidence;         /* a touch of the slot was found */
	bool has_data;             /* before the site: step over it */
	unsigned near, restart;    /* decoding from near on arrives at the site; restart: behind the last data before it */
	bool has_no_red_zone;      /* proven, as far as compilers go: zl_view_is_proof() */
	bool is_rbp_found;         /* by a pop: rbp at the site is rbp_found */
	int rbp_found;
	unsigned paths;            /* open branches */
	struct touch touch[MOST_TOUCHES];
	struct path path[MOST_PATHS];
	uint8_t seen[WINDOW / 8];
};

/* Add the instruction's touch, if it has one. */
static void note_touch(struct scan *scan, const struct zl_insn *insn)
{
	const struct zl_view *view = &scan->view;
	struct touch *touch = &scan->touch[scan->touches];
	bool by_rbp = insn->base == ZL_BASE_RBP;

	if (insn->base == ZL_BASE_NONE || (by_rbp && view->rbp_kind == ZL_IS_DATA))
		return;
	if (!by_rbp && insn->displacement < -ZL_ABI_RED_ZONE)
		return;
	scan->is_full = scan->touches == MOST_TOUCHES;
	if (scan->is_full)
		return;
	touch->by_rbp = by_rbp && view->rbp_kind == ZL_IS_UNKNOWN;
	touch->at = insn->displacement + (touch->by_rbp ? 0 : by_rbp ? view->rbp : view->level);
	touch->size = view->is_loose ? 0 : insn->size;
	scan->touches++;
}

static void begin_function(struct scan *scan)
{
	scan->view = (struct zl_view){ .level = 0, .rbp_kind = ZL_IS_UNKNOWN };
	scan->lowest = 0;
	scan->touches = 0;
	scan->has_no_red_zone = false;
}

/* One instruction before the site, at `at`. */
static void step_before(struct scan *scan, unsigned at, const struct zl_insn *insn, int *farthest)
{
	note_touch(scan, insn);
	zl_view_move(&scan->view, insn);
	if (insn->rbp == ZL_RBP_FRAME)
		scan->has_no_red_zone = false;  /* calls before it may be of another function, which ended in one */
	if (zl_view_is_proof(insn) && !scan->has_data)
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
	int farthest = 0;

	begin_function(scan);
	scan->has_beginning = at == 0;
	while (at < code->site_offset && !scan->is_full) {
		const struct zl_insn *insn = zl_read(scan->reading, at);
		bool is_data = insn && (insn->length == 0 || at + insn->length > code->site_offset);

		scan->is_full = !insn;
		if (!insn)
			return true;
		if (is_data && !scan->has_data)
			return false;
		if (is_data) {
			scan->view.level = scan->lowest;   /* what follows is reached by a jump */
			at++;
			if (at <= scan->near)
				scan->restart = at;
			continue;
		}
		if (has_ended && insn->is_padding && farthest <= (int)at && !scan->has_data) {
			begin_function(scan);
			scan->has_beginning = true;
		}
		step_before(scan, at, insn, &farthest);
		has_ended = insn->flow == ZL_FLOW_END || insn->flow == ZL_FLOW_AWAY || insn->flow == ZL_FLOW_JUMP ||
			    (has_ended && insn->is_padding);
		if (has_ended)
			scan->view.level = scan->lowest;
		at += insn->length;
	}
	return true;
}

/* Go on from an arbitrary offset until decoding has most likely found the true instructions. */
static unsigned synchronise(struct zl_reading *reading, unsigned from)
{
	unsigned at = from;

	while (at < from + SYNCHRONISE) {
		const struct zl_insn *insn = zl_read(reading, at);

		at += insn && insn->length != 0 ? insn->length : 1;
	}
	return at;
}

/* Where to begin, so that half of what may still be decoded is left for the code after the site. What lies between
 * `near` and the site has been decoded already. */
static unsigned first_offset(const struct scan *scan)
{
	unsigned reach = zl_reading_left(scan->reading) / 2 * BYTES_PER_INSN;

	return reach < scan->near ? scan->near - reach : 0;
}

/* Whether code in [0, to), which was not read, may matter: by an address that it makes, or, where some way from the
 * site gets lost, by data that it stores. */
static bool may_matter(const struct scan *scan, unsigned to)
{
	struct zl_operand operand;

	for (unsigned at = 0; zl_operand_find(scan->code, at, to, &operand); at = operand.at + 1)
		if (operand.is_address || scan->is_lost)
			return true;
	return false;
}

/* Read as much as possible of the code before the site: all of it that decodes, or all, data included. Whatever may be
 * a touch in what was not read counts, unless the function is seen to begin after it. */
static void scan_path(struct scan *scan)
{
	const struct zl_code *code = scan->code;
	unsigned near = scan->near, first = first_offset(scan), at = 0;
	bool is_cut = first == 0 && code->site_offset < ZL_JUDGE_BEFORE;

	for (unsigned from = first; from < first + MOST_TRIES; from++) {
		at = is_cut ? from : synchronise(scan->reading, from);
		if (at >= near)
			at = near;
		if (scan_before(scan, at)) {
			scan->is_full = scan->is_full || (!scan->has_beginning && may_matter(scan, at));
			return;
		}
	}
	scan->has_data = near > 0;
	(void)scan_before(scan, first);
	scan->is_full = scan->is_full || may_matter(scan, first);
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

/* Take note of a way out of the function: rbp was pushed right before it was set, if it is a frame pointer. */
static void note_exit(struct scan *scan, const struct zl_insn *insn)
{
	struct zl_view *view = &scan->view;

	if (insn->stack != ZL_STACK_POP_RBP)
		return;
	if (view->rbp_kind == ZL_IS_UNKNOWN && !view->is_loose) {
		scan->is_rbp_found = true;
		scan->rbp_found = view->level;
	}
	view->rbp_kind = ZL_IS_DATA;
}

/* One instruction at `at` of the code after the site. Returns whether the next one follows. */
static bool step_after(struct scan *scan, unsigned at, unsigned *length)
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
		scan->is_full = !insn || code->size - at >= LONGEST_INSN;   /* else it may go on outside the window */
		return false;
	}
	*length = insn->length;
	scan->is_lost = scan->is_lost || insn->flow == ZL_FLOW_AWAY;
	note_touch(scan, insn);
	note_exit(scan, insn);
	zl_view_move(&scan->view, insn);
	if (insn->flow == ZL_FLOW_BRANCH || insn->flow == ZL_FLOW_JUMP)
		add_path(scan, (int)at + insn->target);
	if (zl_view_is_proof(insn) && scan->view.rbp_kind != ZL_IS_DATA)
		scan->has_no_red_zone = true;
	return insn->flow == ZL_FLOW_NEXT || insn->flow == ZL_FLOW_BRANCH || insn->flow == ZL_FLOW_SYSCALL;
}

/* Follow the flow from the site on. */
static void scan_after(struct scan *scan)
{
	unsigned length;

	scan->paths = 0;
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
static bool covers_slot(const struct scan *scan, const struct touch *touch, const struct zl_view *site)
{
	int at = touch->at - site->level;

	if (touch->by_rbp && scan->has_no_red_zone)
		return false;
	if (touch->by_rbp && !scan->is_rbp_found)
		return true;
	if (touch->by_rbp)
		at += scan->rbp_found;
	return zl_view_covers(at, site->is_loose ? 0 : touch->size);
}

/* With the code before the site read: what the code after it tells, and the answer. */
static bool conclude(struct scan *scan)
{
	struct zl_view site = scan->view;

	scan_after(scan);
	for (unsigned i = 0; i < scan->touches; i++)
		scan->has_evidence = scan->has_evidence || covers_slot(scan, &scan->touch[i], &site);
	return scan->has_evidence || scan->is_full;
}

/* The answer when code is read from `at` on, as if a function began there. */
static bool is_used_from(struct scan *scan, unsigned at)
{
	scan->is_rbp_found = scan->has_data = false;
	return scan_before(scan, at) && conclude(scan);
}

static enum zl_verdict refused(const struct scan *scan)
{
	return scan->has_evidence || zl_reading_left(scan->reading) != 0 ? ZL_RED_ZONE : ZL_TOO_LONG;
}

enum zl_verdict zl_redzone_judge(struct zl_reading *reading, unsigned near)
{
	struct scan scan;
	struct zl_operand operand;
	unsigned end;

	if (!zl_operand_find(reading->code, 0, reading->code->size, &operand))
		return ZL_OK;
	scan.reading = reading;
	scan.code = reading->code;
	scan.near = near;
	scan.restart = 0;
	scan.is_full = scan.is_rbp_found = scan.has_data = scan.is_lost = scan.has_evidence = false;
	begin_function(&scan);
	if (!conclude(&scan) && !zl_operand_find(reading->code, 0, reading->code->site_offset, &operand))
		return ZL_OK;
	scan.is_full = scan.is_rbp_found = scan.has_evidence = false;
	scan_path(&scan);
	if (conclude(&scan))
		return refused(&scan);
	if (!scan.has_data)
		return ZL_OK;
	end = scan.restart + RESTARTS < near ? scan.restart + RESTARTS : near;
	for (unsigned at = scan.restart; at < end; at++)
		if (is_used_from(&scan, at))
			return refused(&scan);
	return is_used_from(&scan, near) ? refused(&scan) : ZL_OK;
}
