/* cave.c - finds padding that is never executed
 *
 * Compilers and assemblers fill up to an aligned address with nops or int3. Where the flow of control passes, these
 * nops are executed; they are not behind an unconditional transfer (ret, jmp), unless a branch leads into them. A
 * call is no such transfer, whether or not it comes back; nor are int3, ud2 and hlt, which a signal handler may step
 * over; nor is an indirect jump, which may lead right behind itself. Hence a run of padding is unused when
 *
 *   1. the instruction that ends where it begins is an unconditional transfer, and is known to be an instruction,
 *   2. it consists of whole nops or int3 up to an address that is aligned, before which it can't have begun sooner,
 *   3. nothing in the bytes around it, at whatever offset, reads as a direct branch into it.
 *
 * 1: Where instructions begin is known of the site, which was executed; of what it goes on with; of where a branch
 * among those leads. These are followed first. With an unwind table it is known of its rows, too: of each function in
 * reach, the site's and those beside it, the code from its last row up to its end is decoded; then, where the bytes
 * look like padding behind a transfer, from the row before. Nothing is ever decoded backward. Believed, where there is
 * no table: that code follows a call.
 *
 * 2: Padding up to a multiple of 16 is shorter than that, so what lies behind the next multiple of 16 (or of 8, when
 * code begins there) may be a beginning itself, one with nops in front that are executed, and is left alone. Only the
 * gap between the end of one function and the beginning of the next, both known from the table, may be longer; and
 * int3, with which no code begins. For the same reason a run does not begin at a multiple of 16; nor of 8, unless the
 * table tells that no function does. Five single nops in a row are no padding but a place that somebody means to
 * patch, or a slide. endbr64 is where an indirect branch leads, no padding.
 *
 * 3: This costs some caves, for bytes that look like a branch by chance. A branch of two bytes reaches no farther
 * than the copy; those of five and six from farther away are not seen, nor are indirect ones: nobody has a reason to
 * make one into the filling behind a ret.
 */
#include "lazy/cave.h"
#include "base/string.h"
#include "lazy/bytes.h"
#include "lazy/reading.h"
#include "base/poison.h"

enum { INT3 = 0xcc, NOP = 0x90, ENDBR_SIZE = 4, ALIGNED = 16, LESS_ALIGNED = 8 };
enum { LONGEST_TRANSFER = 6, MOST_PATHS = 16, MOST_RUN = 63, MOST_NOPS = 4, NEAR = 160, LOWEST = -128, HIGHEST = 127 };

struct finder {
	const struct zl_cave_search *search;
	struct zl_reading reading;
	struct zl_function function;   /* one of the table's, or empty */
	bool has_table;                /* the site's function is in it */
	unsigned lowest, highest;      /* offsets where a cave may begin */
	unsigned cave;                 /* its offset, once found */
};

/* A run of padding, by offsets. */
struct run { unsigned begin, end; };

static bool is_aligned(const struct finder *f, unsigned at, unsigned to)
{
	return (f->search->begin + at) % to == 0;
}

/* The offset of an address, or one that is too large. */
static unsigned offset_of(const struct finder *f, uintptr_t address)
{
	uintptr_t offset = address - f->search->begin;

	return offset <= f->search->size ? (unsigned)offset : f->search->size + 1;
}

/* A jump, or a ret with or without a prefix or an immediate: what nobody can step over. */
static bool is_transfer(const struct finder *f, const struct zl_insn *insn, unsigned end)
{
	const uint8_t *p = f->search->bytes + end;

	if (insn->flow != ZL_FLOW_END)
		return insn->flow == ZL_FLOW_JUMP;
	return insn->length <= 2 ? p[-1] == 0xc3 : insn->length <= 4 && p[-3] == 0xc2;
}

/* The length of the nop or int3 at `at`, 0 if there is neither. */
static unsigned padding_at(struct finder *f, unsigned at)
{
	static const uint8_t endbr[ENDBR_SIZE] = { 0xf3, 0x0f, 0x1e, 0xfa };
	const struct zl_insn *insn = zl_read(&f->reading, at);

	if (!insn || insn->length == 0 || !insn->is_padding)
		return 0;
	return insn->length == ENDBR_SIZE && memcmp(f->search->bytes + at, endbr, ENDBR_SIZE) == 0 ? 0 : insn->length;
}

static bool function_begins(const struct finder *f, unsigned at)
{
	return f->search->function_begins(f->search->begin + at);
}

/* Where the run of padding ends that begins there, up to where the next function begins; where it begins if it is none.
 */
static unsigned end_of_gap(struct finder *f, unsigned begin, unsigned limit)
{
	unsigned at = begin, singles = 0, length;

	while (at < limit && singles <= MOST_NOPS && (length = padding_at(f, at)) != 0) {
		singles = f->search->bytes[at] == NOP ? singles + 1 : 0;
		at += length;
	}
	return at == limit && singles <= MOST_NOPS ? limit : begin;
}

/* The same of int3. */
static unsigned end_of_int3(struct finder *f, unsigned begin)
{
	unsigned at = begin;

	while (at < begin + MOST_RUN && at < f->search->size && f->search->bytes[at] == INT3)
		at++;
	return is_aligned(f, at, ALIGNED) ? at : begin;
}

/* The same of padding of which nothing else is known, or, with a table, that no function begins there. */
static unsigned end_of_run(struct finder *f, unsigned begin, bool has_table)
{
	unsigned at = begin, singles = 0, less = 0, length;

	if (is_aligned(f, begin, has_table ? ALIGNED : LESS_ALIGNED))
		return begin;
	do {
		length = padding_at(f, at);
		if (length == 0 || function_begins(f, at))
			return at == less ? at : begin;
		singles = f->search->bytes[at] == NOP ? singles + 1 : 0;
		if (singles > MOST_NOPS)
			return begin;
		at += length;
		if (less == 0 && is_aligned(f, at, LESS_ALIGNED))
			less = at;
	} while (!is_aligned(f, at, ALIGNED) && at - begin < ALIGNED);
	return at - begin < ALIGNED ? at : begin;
}

/* Where the direct branch leads that the bytes at `at` read as; -1 if they don't read as one, or it leads far away. */
static int64_t branch_target(const struct zl_cave_search *search, unsigned at)
{
	const uint8_t *p = search->bytes + at;
	unsigned left = search->size - at, size = 0;
	int32_t distance;

	if (left >= 2 && (p[0] == 0xeb || (p[0] & 0xf0) == 0x70 || (p[0] & 0xfc) == 0xe0))
		return (int64_t)at + 2 + (int8_t)p[1];
	if (left >= 5 && (p[0] & 0xfe) == 0xe8)
		size = 5;
	else if (left >= 6 && ((p[0] == 0x0f && (p[1] & 0xf0) == 0x80) || (p[0] == 0xc7 && p[1] == 0xf8)))
		size = 6;                              /* jcc, xbegin */
	if (size == 0)
		return -1;
	memcpy(&distance, p + size - sizeof(distance), sizeof(distance));
	return (int64_t)at + size + distance;
}

/* Whether something around it reads as a branch into it. */
static bool has_branch_into(const struct zl_cave_search *search, const struct run *run)
{
	for (unsigned at = 0; at < search->size; at++) {
		int64_t target;

		if (at == run->begin)
			at = run->end;
		target = at < search->size ? branch_target(search, at) : -1;
		if (target >= run->begin && target < run->end)
			return true;
	}
	return false;
}

/* Choose five bytes of the run. False if they are all taken, or too far. */
static bool choose(struct finder *f, const struct run *run)
{
	const struct zl_cave_search *search = f->search;
	unsigned at = run->begin > f->lowest ? run->begin : f->lowest;

	for (; at + ZL_CAVE_SIZE <= run->end && at <= f->highest; at++) {
		uintptr_t start = search->begin + at;

		if (search->is_taken && search->is_taken(start, start + ZL_CAVE_SIZE))
			continue;
		f->cave = at;
		return true;
	}
	return false;
}

/* What is known of a run: only that it is behind an unconditional transfer; also that the functions around it have
 * an unwind table; also that it ends where the next one begins. */
enum known { NOTHING_ELSE, HAS_TABLE, HAS_LIMIT };

static bool try_run(struct finder *f, unsigned begin, enum known known, unsigned limit)
{
	struct run run = { .begin = begin };

	if (begin > f->highest || begin >= f->search->size || begin + MOST_RUN < f->lowest)
		return false;
	if (known == HAS_LIMIT)
		run.end = end_of_gap(f, begin, limit);
	else if (f->search->bytes[begin] == INT3)
		run.end = end_of_int3(f, begin);
	else
		run.end = end_of_run(f, begin, known == HAS_TABLE);
	return run.end >= run.begin + ZL_CAVE_SIZE && choose(f, &run) && !has_branch_into(f->search, &run);
}

/* The code that the site is known to go on with. True once a cave is found. */
static bool follow(struct finder *f)
{
	unsigned path[MOST_PATHS] = { (unsigned)(f->search->site - f->search->begin) }, paths = 1;
	uint64_t seen = 0;

	static_assert(ZL_MOST_DECODED <= 64, "seen");
	while (paths != 0) {
		unsigned at = path[--paths];

		for (;;) {
			const struct zl_insn *insn = zl_read(&f->reading, at);
			unsigned i;

			if (!insn || insn->length == 0 || at > f->highest || at + NEAR < f->lowest)
				break;
			i = zl_reading_index(&f->reading, insn);
			if (i < ZL_MOST_DECODED && seen >> i & 1)
				break;
			seen |= i < ZL_MOST_DECODED ? 1ull << i : 0;
			if ((insn->flow == ZL_FLOW_BRANCH || insn->flow == ZL_FLOW_JUMP) && paths < MOST_PATHS)
				path[paths++] = at + (unsigned)insn->target;
			at += insn->length;
			if (is_transfer(f, insn, at) && try_run(f, at, NOTHING_ELSE, 0))
				return true;
			if (insn->flow == ZL_FLOW_JUMP || insn->flow == ZL_FLOW_AWAY || insn->flow == ZL_FLOW_END ||
			    (insn->flow == ZL_FLOW_CALL && f->has_table))
				break;
		}
	}
	return false;
}

/* Decode from an offset where an instruction begins. Whether the last instruction before `end` is an unconditional
 * transfer. */
static bool ends_in_transfer(struct finder *f, unsigned at, unsigned end)
{
	const struct zl_insn *insn = NULL;

	if (at >= end || end - at > NEAR || end > f->search->size)
		return false;
	while (at < end) {
		insn = zl_read(&f->reading, at);
		if (!insn || insn->length == 0)
			return false;
		at += insn->length;
	}
	return at == end && is_transfer(f, insn, end);
}

/* Look for the function at an address; without one f->function is empty. */
static bool find_function(struct finder *f, uintptr_t address)
{
	if (f->search->find_function(address, &f->function))
		return true;
	f->function.begin = f->function.end = 0;
	return false;
}

/* The gap behind f->function. */
static bool try_gap(struct finder *f)
{
	const struct zl_function *function = &f->function;
	const struct zl_row *gap = &function->row[function->rows - 1];
	unsigned begin, limit;

	if (!function->has_gap || function->rows < 2 || function->end % ALIGNED != 0)
		return false;
	begin = offset_of(f, function->begin + gap->at);
	limit = offset_of(f, function->end);
	if (begin > f->search->size || limit > f->search->size || limit - begin > MOST_RUN)
		return false;
	return ends_in_transfer(f, offset_of(f, function->begin + gap[-1].at), begin) && try_run(f, begin, HAS_LIMIT, limit);
}

/* The gaps behind the site's function, those after it, and those before it.
 * pre: f->function is the site's */
static bool try_gaps(struct finder *f)
{
	const struct zl_cave_search *search = f->search;
	uintptr_t first = f->function.begin, behind = f->function.end;

	if (try_gap(f))                                /* the site lies in the gap */
		return true;
	while (behind - search->begin <= f->highest && find_function(f, behind) && f->function.end > behind) {
		if (try_gap(f))
			return true;
		behind = f->function.end;
	}
	while (first > search->begin && first - search->begin > f->lowest && find_function(f, first - 1) &&
	       f->function.begin < first) {
		if (try_gap(f))
			return true;
		first = f->function.begin;
	}
	return false;
}

/* Whether the bytes before an offset may be the end of an unconditional transfer, and those from there on padding. */
static bool may_begin_run(const struct zl_cave_search *search, unsigned at)
{
	const uint8_t *p = search->bytes + at;
	bool is_transfer = p[-1] == 0xc3 || p[-2] == 0xeb || p[-5] == 0xe9 || p[-3] == 0xc2 ||
	                   (p[-2] == 0xff && (p[-1] & 0xf8) == 0xe0) || (p[-6] == 0xff && p[-5] == 0x25);

	return is_transfer && (p[0] == 0x0f || p[0] == 0x66 || p[0] == 0x2e || p[0] == NOP || p[0] == INT3);
}

/* Whether an unconditional transfer ends there, by the nearest row of the function that it is in. */
static bool is_behind_transfer(struct finder *f, unsigned at)
{
	const struct zl_function *function = &f->function;
	uintptr_t last = f->search->begin + at - 1;
	const struct zl_row *row;

	if (last - function->begin >= function->end - function->begin && !find_function(f, last))
		return false;
	row = zl_function_row(function, (uint32_t)(last - function->begin));
	return ends_in_transfer(f, offset_of(f, function->begin + row->at), at);
}

/* Padding inside of functions that have rows. */
static bool try_rows(struct finder *f)
{
	const struct zl_cave_search *search = f->search;
	unsigned first = f->lowest > LONGEST_TRANSFER + MOST_RUN ? f->lowest - MOST_RUN : LONGEST_TRANSFER;

	for (unsigned at = first; at <= f->highest && at < search->size; at++)
		if (may_begin_run(search, at) && is_behind_transfer(f, at) && try_run(f, at, HAS_TABLE, 0))
			return true;
	return false;
}

uintptr_t zl_cave_find(const struct zl_cave_search *search)
{
	struct finder f = { .search = search };
	unsigned behind = (unsigned)(search->site - search->begin) + ZL_SITE_SIZE;

	f.lowest = behind > -LOWEST ? behind + LOWEST : 0;
	f.highest = behind + HIGHEST;
	zl_reading_begin_bytes(&f.reading, search->bytes, search->size);
	f.has_table = find_function(&f, search->site);
	if (follow(&f) || (f.has_table && (try_gaps(&f) || try_rows(&f))))
		return search->begin + f.cave;
	return 0;
}

bool zl_cave_read(uintptr_t site, struct zl_cave_search *search)
{
	unsigned before = zl_code_read_before(search->bytes, site, ZL_CAVE_BEFORE);
	unsigned after = zl_code_read_after(search->bytes + before, site, ZL_CAVE_AFTER);

	search->site = site;
	search->begin = site - before;
	search->size = before + after;
	search->find_function = zl_function_find;
	search->function_begins = zl_function_begins;
	return after >= ZL_SITE_SIZE;
}
