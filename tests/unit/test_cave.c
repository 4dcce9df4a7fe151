/* test_cave.c - zl_cave_find() on code given byte for byte; on real code: coverage_jumps.c
 *
 * The bytes of a case begin at a multiple of 4096; the site is the first `0f 05`.
 * behind the site: ret, ret $n, repz ret, jmp near, far and backward; int3, more than 16
 *   of them; up to a multiple of 8; behind a jump over it, ahead and back; four single nops; a branch to its end.
 * taken: the first bytes, some in the middle, all.   reach: the last byte ahead and back, one more, a part of a run.
 * executed: fallen into, behind a call, a conditional jump, jmp by register and by memory, ud2, hlt, int3, int1; a ret that is part of an immediate.
 * branches into it: those of the site's code; jmp over nothing, short and long; each kind of branch in the bytes before
 *   and after, and hidden in another instruction.
 * no padding: zeros, code, endbr64, too few, ends between multiples, a nop across one, begins at a multiple of 8 or
 *   16, nops behind a multiple of 16, five single nops; the end of memory.
 * with a table: the gap behind the function, before it, of the next but one; a long one, and the end of that; behind a
 *   row; one that begins at a multiple of 8.
 * declined with a table: a call, a fall or a part of an instruction before the gap; a gap that ends between multiples,
 *   or has code; a function that begins with nops; the last row too far.
 * No search decodes more than ZL_MOST_DECODED instructions.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "agent/zydis.h"
#include "lazy/cave.h"
#include "lazy/reading.h"
#include <dlfcn.h>
#include <string.h>

enum { BASE = 0x40000, MOST_FUNCTIONS = 4, NONE = -1 };

#define SITE "\x0f\x05"
#define RET "\xc3"
#define CODE "\x55\x31\xc9\x5d\xc3"                  /* what the next function looks like */
#define NOP2 "\x66\x90"
#define NOP3 "\x0f\x1f\x00"
#define NOP4 "\x0f\x1f\x40\x00"
#define NOP5 "\x0f\x1f\x44\x00\x00"
#define NOP8 "\x0f\x1f\x84\x00\x00\x00\x00\x00"
#define NOP9 "\x66" NOP8
#define NOP10 "\x66\x2e" NOP8
#define NOP11 "\x66" NOP10
#define NOP12 NOP8 NOP4
#define NOP13 NOP11 NOP2
#define NOP14 NOP11 NOP3
#define INT3_13 "\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc"
#define MOVABS "\x48\xb8\x01\x01\x01\x01\x01\x01\x01\x01"
#define MOVABS_6 MOVABS MOVABS MOVABS MOVABS MOVABS MOVABS

struct known { unsigned begin, end, rows[4]; };      /* offsets; rows from the beginning, ascending up to a 0 */

bool zl_copy_hides_zero;   /* trampoline/zero.c has it */
static const struct zl_decoder *zydis;
static unsigned decodings;
static struct zl_cave_search search;
static const struct known *functions;
static unsigned function_count;
static uintptr_t taken_start, taken_end;

static int count_decode(const uint8_t *bytes, unsigned available, struct zl_insn *insn)
{
	decodings++;
	return zydis->decode(bytes, available, insn);
}

static struct zl_decoder counting = { .decode = count_decode };

/* What zl_function_find() does. */
static bool find_function(uintptr_t address, struct zl_function *function)
{
	unsigned at = (unsigned)(address - BASE), rows = 0;

	for (unsigned i = function_count; i-- > 0;) {
		const struct known *known = &functions[i];

		if (known->begin > at)
			continue;
		*function = (struct zl_function){ .begin = BASE + known->begin, .end = BASE + known->end };
		do
			function->row[rows] = (struct zl_row){ .at = known->rows[rows], .base = ZL_CFA_RSP };
		while (++rows < 4 && known->rows[rows] != 0);
		function->rows = rows;
		if (at < known->end)
			return true;
		if (i + 1 == function_count || known[1].begin - known->end > 64)
			return false;
		function->row[function->rows++] = (struct zl_row){ .at = known->end - known->begin };
		function->end = BASE + known[1].begin;
		function->has_gap = true;
		return true;
	}
	return false;
}

static bool function_begins(uintptr_t address)
{
	for (unsigned i = 0; i < function_count; i++)
		if (BASE + functions[i].begin == address)
			return true;
	return false;
}

static bool is_taken(uintptr_t start, uintptr_t end)
{
	return start < taken_end && taken_start < end;
}

/* The cave's offset, or NONE. */
static int look(const void *bytes, size_t size, unsigned site, const struct known *known, unsigned count)
{
	uintptr_t cave;

	assert_true(size <= sizeof search.bytes);
	search = (struct zl_cave_search){ .site = BASE + site, .begin = BASE, .size = (unsigned)size,
	                                  .find_function = find_function, .function_begins = function_begins,
	                                  .is_taken = is_taken };
	memcpy(search.bytes, bytes, size);
	functions = known;
	function_count = count;
	decodings = 0;
	cave = zl_cave_find(&search);
	assert_true(decodings <= ZL_MOST_DECODED);
	return cave == 0 ? NONE : (int)(cave - BASE);
}

static unsigned first_site(const char *bytes, size_t size)
{
	return (unsigned)((const char *)memmem(bytes, size, SITE, 2) - bytes);
}

#define EXPECT(expected, bytes, ...) \
	assert_int_equal(look(bytes, sizeof(bytes) - 1, first_site(bytes, sizeof(bytes) - 1), __VA_ARGS__), expected)
#define CAVE(name, expected, bytes) \
	static void test_cave_finds_##name(void **state) \
	{ \
		(void)state; \
		EXPECT(expected, bytes, NULL, 0); \
	}
#define NO_CAVE(name, bytes) \
	static void test_cave_declines_##name(void **state) \
	{ \
		(void)state; \
		EXPECT(NONE, bytes, NULL, 0); \
	}
#define KNOWN(...) ((const struct known[]){ __VA_ARGS__ }), \
	sizeof((struct known[]){ __VA_ARGS__ }) / sizeof(struct known)
#define TABLE(name, expected, bytes, ...) \
	static void test_cave_finds_##name(void **state) \
	{ \
		(void)state; \
		EXPECT(expected, bytes, __VA_ARGS__); \
	}
#define NO_TABLE(name, bytes, ...) \
	static void test_cave_declines_##name(void **state) \
	{ \
		(void)state; \
		EXPECT(NONE, bytes, __VA_ARGS__); \
	}

CAVE(ret, 3, SITE RET NOP13 CODE)
CAVE(ret_with_number, 5, SITE "\xc2\x08\x00" NOP11 CODE)
CAVE(repz_ret, 4, SITE "\xf3\xc3" NOP12 CODE)
CAVE(jmp_far, 7, SITE "\xe9\x00\x10\x00\x00" NOP9 CODE)
CAVE(jmp_back, 4, SITE "\xeb\xfc" NOP12 CODE)
NO_CAVE(jmp_by_register, SITE "\xff\xe0" NOP12 CODE)
NO_CAVE(jmp_by_memory, SITE "\xff\x60\x08" NOP11 CODE)
CAVE(int3, 3, SITE RET INT3_13 CODE)
CAVE(many_int3, 3, SITE RET INT3_13 INT3_13 "\xcc\xcc\xcc" CODE)
CAVE(multiple_of_8, 3, SITE RET NOP5 CODE)
CAVE(branch_ahead, 6, SITE "\x74\x01" RET RET NOP10 CODE)
CAVE(jump_ahead, 7, SITE "\xeb\x02\x06\x06" RET NOP9 CODE)
CAVE(jump_back, 2, "\x55\xc3" NOP14 SITE "\xeb\xec" CODE)
CAVE(ret_behind_call, 10, SITE "\xe8\x00\x10\x00\x00\x31\xc9" RET NOP4 NOP2 CODE)
CAVE(four_single_nops, 3, SITE RET "\x90\x90\x90\x90" NOP9 CODE)
CAVE(branch_to_its_end, 5, SITE "\x74\x0c" RET NOP11 CODE)

NO_CAVE(fallen_into, SITE NOP14 CODE)
NO_CAVE(behind_call, SITE "\xe8\x00\x10\x00\x00" NOP9 CODE)
NO_CAVE(behind_call_by_register, SITE "\xff\xd0" NOP12 CODE)
NO_CAVE(behind_conditional_jump, SITE "\x0f\x84\x00\x10\x00\x00" NOP8 CODE)
NO_CAVE(behind_ud2, SITE "\x0f\x0b" NOP12 CODE)
NO_CAVE(behind_hlt, SITE "\xf4" NOP13 CODE)
NO_CAVE(behind_int3, SITE "\xcc" NOP13 CODE)
NO_CAVE(int3_at_once, SITE "\xcc" INT3_13 CODE)
NO_CAVE(behind_int1, SITE "\xf1" NOP13 CODE)
NO_CAVE(behind_ud1, SITE "\x0f\xb9\xc3" NOP11 CODE)
NO_CAVE(ret_in_immediate, SITE "\xb9\x00\x00\x00\xc3" NOP9 CODE)
NO_CAVE(ret_behind_a_ret, SITE RET "\xb9\x00\x00\xc3" NOP9 CODE)

NO_CAVE(branch_to_its_begin, SITE "\x74\x01" RET NOP11 CODE)
NO_CAVE(branch_to_its_middle, SITE "\x74\x05" RET NOP11 CODE)
NO_CAVE(jump_over_nothing, SITE "\xeb\x00" NOP12 CODE)
NO_CAVE(long_jump_over_nothing, SITE "\xe9\x00\x00\x00\x00" NOP9 CODE)

/* [bytes][site; ret] at 16, its padding at 19, [bytes] at 32 */
#define BETWEEN(before, after) before SITE RET NOP13 after CODE
#define FILL_10 "\x31\xc9\x31\xc9\x31\xc9\x31\xc9\x31\xc9"
#define FILL_14 FILL_10 "\x31\xc9\x31\xc9"
CAVE(harmless_neighbours, 19, BETWEEN(FILL_14 "\x31\xc9", FILL_14))
CAVE(branch_to_behind_it, 19, BETWEEN("\x74\x1e" FILL_14, FILL_14))
CAVE(branch_to_before_it, 19, BETWEEN("\x74\x10" FILL_14, FILL_14))
NO_CAVE(jcc_before, BETWEEN("\x74\x11" FILL_14, FILL_14))
NO_CAVE(jcc_before_to_its_last_byte, BETWEEN("\x7f\x1d" FILL_14, FILL_14))
NO_CAVE(jmp_before, BETWEEN("\xeb\x14" FILL_14, FILL_14))
NO_CAVE(jrcxz_before, BETWEEN("\xe3\x14" FILL_14, FILL_14))
NO_CAVE(loop_before, BETWEEN("\xe2\x14" FILL_14, FILL_14))
NO_CAVE(loopne_before, BETWEEN("\xe0\x14" FILL_14, FILL_14))
NO_CAVE(hidden_before, BETWEEN("\xb9\x74\x14\x31\xc9" FILL_10 "\x90", FILL_14))
NO_CAVE(long_jmp_before, BETWEEN("\xe9\x11\x00\x00\x00" FILL_10 "\x90", FILL_14))
NO_CAVE(direct_call_before, BETWEEN("\xe8\x11\x00\x00\x00" FILL_10 "\x90", FILL_14))
NO_CAVE(long_jcc_before, BETWEEN("\x0f\x8f\x11\x00\x00\x00" FILL_10, FILL_14))
NO_CAVE(xbegin_before, BETWEEN("\xc7\xf8\x11\x00\x00\x00" FILL_10, FILL_14))
NO_CAVE(jcc_after, BETWEEN(FILL_14 "\x31\xc9", "\x74\xf3" FILL_14))
NO_CAVE(jmp_after, BETWEEN(FILL_14 "\x31\xc9", "\xeb\xf8" FILL_14))
NO_CAVE(long_jmp_after, BETWEEN(FILL_14 "\x31\xc9", "\xe9\xf0\xff\xff\xff" FILL_14))
NO_CAVE(long_jcc_after, BETWEEN(FILL_14 "\x31\xc9", "\x0f\x84\xf0\xff\xff\xff" FILL_14))

NO_CAVE(zeros, SITE RET "\0\0\0\0\0\0\0\0\0\0\0\0\0" CODE)
NO_CAVE(code, SITE RET FILL_10 NOP3 CODE)
NO_CAVE(endbr, SITE RET "\xf3\x0f\x1e\xfa" NOP9 CODE)
NO_CAVE(too_few, SITE FILL_10 RET NOP3 CODE)
NO_CAVE(four_bytes, SITE "\x48\xc7\xc0\x01\x00\x00\x00" "\x31\xc9" RET NOP4 CODE)
NO_CAVE(end_between, SITE RET NOP11 CODE)
NO_CAVE(int3_end_between, SITE RET "\xcc\xcc\xcc\xcc\xcc" CODE)
NO_CAVE(nop_across, SITE RET NOP8 NOP8 CODE)
NO_CAVE(begin_at_8, SITE "\x31\xc9\x31\xc9\x90" RET NOP8 CODE)
NO_CAVE(begin_at_16, SITE FILL_10 "\x31\xc9\x90" RET NOP8 NOP8 CODE)
NO_CAVE(nops_behind_16, SITE FILL_10 "\x90" RET NOP2 NOP10 CODE)
NO_CAVE(five_single_nops, SITE RET "\x90\x90\x90\x90\x90" CODE)
NO_CAVE(single_nops, SITE RET "\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90" CODE)
NO_CAVE(end_of_memory, SITE RET)
NO_CAVE(cut_padding, SITE RET NOP9)

static void test_cave_finds_what_is_not_taken(void **state)
{
	(void)state;
	taken_start = BASE + 3, taken_end = BASE + 8;
	EXPECT(8, SITE RET NOP13 CODE, NULL, 0);
	taken_start = BASE + 9, taken_end = BASE + 10;
	EXPECT(3, SITE RET NOP13 CODE, NULL, 0);
	taken_start = BASE + 7, taken_end = BASE + 8;
	EXPECT(8, SITE RET NOP13 CODE, NULL, 0);
	taken_start = BASE + 5, taken_end = BASE + 12;
	EXPECT(NONE, SITE RET NOP13 CODE, NULL, 0);
	taken_start = taken_end = 0;
}

/* 120 bytes of code, then `more`, a ret, padding. */
CAVE(last_byte_ahead, 129, SITE MOVABS_6 MOVABS_6 "\x31\xc9\x31\xc9\x31\xc9" RET NOP13 NOP2 CODE)
NO_CAVE(one_more_ahead, SITE MOVABS_6 MOVABS_6 "\x31\xc9\x31\xc9\x31\xc9\x90" RET NOP14 CODE)

static void test_cave_declines_the_rest_of_a_run_ahead(void **state)
{
	(void)state;
	taken_start = BASE + 129, taken_end = BASE + 130;
	EXPECT(NONE, SITE MOVABS_6 MOVABS_6 "\x31\xc9\x31\xc9\x31\xc9" RET NOP13 NOP2 CODE, NULL, 0);
	taken_start = taken_end = 0;
}

/* push; ret; 14 bytes of padding; int3 up to the site, which jumps back to the push. */
static int look_back(unsigned site)
{
	uint8_t bytes[256];
	int32_t distance = -(int32_t)(site + 7);

	memset(bytes, 0x06, sizeof bytes);             /* no instruction */
	memcpy(bytes, "\x55\xc3" NOP14, 16);
	memcpy(bytes + site, SITE "\xe9", 3);
	memcpy(bytes + site + 3, &distance, sizeof distance);
	return look(bytes, site + 7, site, NULL, 0);
}

static void test_cave_reaches_back(void **state)
{
	(void)state;
	assert_int_equal(look_back(128), 2);
	assert_int_equal(look_back(129), 3);
	assert_int_equal(look_back(137), 11);
	assert_int_equal(look_back(138), NONE);
}

/* The site goes round in a circle. */
#define CIRCLE SITE "\xeb\xfc"
TABLE(gap_behind, 7, CIRCLE "\x31\xc9" RET NOP9 CODE, KNOWN({ 0, 7, { 0 } }, { 16, 21, { 0 } }))
TABLE(gap_behind_last_row, 7, CIRCLE "\x31\xc9" RET NOP9 CODE, KNOWN({ 0, 7, { 0, 4 } }, { 16, 21, { 0 } }))
NO_CAVE(gap_without_table, CIRCLE "\x31\xc9" RET NOP9 CODE)
TABLE(gap_before, 5, CODE NOP11 CIRCLE CODE, KNOWN({ 0, 5, { 0 } }, { 16, 20, { 0 } }))
TABLE(gap_of_the_next, 21, CIRCLE FILL_10 "\x31\xc9" CODE NOP11 CODE,
      KNOWN({ 0, 16, { 0 } }, { 16, 21, { 0 } }, { 32, 37, { 0 } }))
TABLE(gap_of_the_next_but_one, 37, CIRCLE FILL_10 "\x31\xc9" FILL_14 "\x31\xc9" CODE NOP11 CODE,
      KNOWN({ 0, 16, { 0 } }, { 16, 32, { 0 } }, { 32, 37, { 0 } }, { 48, 53, { 0 } }))
TABLE(long_gap, 7, CIRCLE "\x31\xc9" RET NOP8 NOP9 NOP8 CODE, KNOWN({ 0, 7, { 0 } }, { 32, 37, { 0 } }))
TABLE(inside_behind_row, 7, CIRCLE "\x31\xc9" RET NOP9 CODE, KNOWN({ 0, 21, { 0, 4 } }))
TABLE(inside_at_multiple_of_8, 8, CIRCLE "\x31\xc9\x90" RET NOP8 CODE, KNOWN({ 0, 21, { 0, 4 } }))
NO_TABLE(inside_with_function_there, CIRCLE "\x31\xc9\x90" RET NOP8 CODE, KNOWN({ 0, 8, { 0, 4 } }, { 8, 21, { 0 } }))
NO_TABLE(inside_with_function_later, CIRCLE "\x31\xc9" RET NOP4 NOP5 CODE, KNOWN({ 0, 7, { 0 } }, { 11, 21, { 0 } }))
NO_TABLE(function_behind_ret, SITE RET NOP13 CODE, KNOWN({ 0, 3, { 0 } }, { 3, 21, { 0 } }))

static void test_cave_finds_the_end_of_a_long_gap(void **state)
{
	(void)state;
	taken_start = BASE, taken_end = BASE + 25;
	EXPECT(25, CIRCLE "\x31\xc9" RET NOP8 NOP9 NOP8 CODE, KNOWN({ 0, 7, { 0 } }, { 32, 37, { 0 } }));
	EXPECT(NONE, CIRCLE "\x31\xc9" RET NOP9 NOP8 NOP8 CODE, KNOWN({ 0, 37, { 0, 4 } }));
	taken_start = taken_end = 0;
}

NO_TABLE(gap_behind_call, CIRCLE "\xe8\x00\x10\x00\x00" NOP5 NOP2 CODE, KNOWN({ 0, 9, { 0 } }, { 16, 21, { 0 } }))
NO_TABLE(gap_behind_fall, CIRCLE "\x31\xc9\x90" NOP9 CODE, KNOWN({ 0, 7, { 0 } }, { 16, 21, { 0 } }))
NO_TABLE(gap_behind_ud2, CIRCLE "\x90\x0f\x0b" NOP9 CODE, KNOWN({ 0, 7, { 0 } }, { 16, 21, { 0 } }))
NO_TABLE(gap_behind_part, CIRCLE "\xb9\x00\x00\x00\xc3" NOP5 NOP2 CODE, KNOWN({ 0, 9, { 0, 4 } }, { 16, 21, { 0 } }))
NO_TABLE(gap_inside_instruction, CIRCLE "\xb9\x00\x00\xc3\x00" NOP5 NOP2 CODE,
         KNOWN({ 0, 8, { 0, 4 } }, { 16, 21, { 0 } }))
NO_TABLE(gap_to_no_multiple, CIRCLE "\x31\xc9" RET NOP11 CODE, KNOWN({ 0, 7, { 0 } }, { 18, 23, { 0 } }))
NO_TABLE(gap_with_code, CIRCLE "\x31\xc9" RET NOP4 "\x31\xc9" NOP3 CODE, KNOWN({ 0, 7, { 0 } }, { 16, 21, { 0 } }))
NO_TABLE(gap_with_endbr, CIRCLE "\x31\xc9" RET "\xf3\x0f\x1e\xfa" NOP5 CODE, KNOWN({ 0, 7, { 0 } }, { 16, 21, { 0 } }))
NO_TABLE(gap_with_branch_into_it, "\x74\x0c" CIRCLE RET NOP9 CODE, KNOWN({ 0, 7, { 0, 6 } }, { 16, 21, { 0 } }))
NO_TABLE(gap_of_single_nops, CIRCLE "\x31\xc9" RET "\x90\x90\x90\x90\x90\x90\x90\x90\x90" CODE,
         KNOWN({ 0, 7, { 0 } }, { 16, 21, { 0 } }))
NO_TABLE(gap_far_from_rows, MOVABS_6 MOVABS_6 MOVABS_6 CIRCLE "\x31\xc9" RET NOP5 CODE,
         KNOWN({ 0, 187, { 0 } }, { 192, 197, { 0 } }))

static void *find_symbol(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

static int bind_decoder(void **state)
{
	(void)state;
	if (zl_zydis_bind(find_symbol) != 0)
		return -1;
	zydis = zl_decoder;
	counting.length = zydis->length;
	zl_decoder = &counting;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cave_finds_ret),
		cmocka_unit_test(test_cave_finds_ret_with_number),
		cmocka_unit_test(test_cave_finds_repz_ret),
		cmocka_unit_test(test_cave_finds_jmp_far),
		cmocka_unit_test(test_cave_finds_jmp_back),
		cmocka_unit_test(test_cave_declines_jmp_by_register),
		cmocka_unit_test(test_cave_declines_jmp_by_memory),
		cmocka_unit_test(test_cave_finds_int3),
		cmocka_unit_test(test_cave_finds_many_int3),
		cmocka_unit_test(test_cave_finds_multiple_of_8),
		cmocka_unit_test(test_cave_finds_branch_ahead),
		cmocka_unit_test(test_cave_finds_jump_ahead),
		cmocka_unit_test(test_cave_finds_jump_back),
		cmocka_unit_test(test_cave_finds_ret_behind_call),
		cmocka_unit_test(test_cave_finds_four_single_nops),
		cmocka_unit_test(test_cave_finds_branch_to_its_end),
		cmocka_unit_test(test_cave_declines_fallen_into),
		cmocka_unit_test(test_cave_declines_behind_call),
		cmocka_unit_test(test_cave_declines_behind_call_by_register),
		cmocka_unit_test(test_cave_declines_behind_conditional_jump),
		cmocka_unit_test(test_cave_declines_behind_ud2),
		cmocka_unit_test(test_cave_declines_behind_hlt),
		cmocka_unit_test(test_cave_declines_behind_int3),
		cmocka_unit_test(test_cave_declines_int3_at_once),
		cmocka_unit_test(test_cave_declines_behind_int1),
		cmocka_unit_test(test_cave_declines_behind_ud1),
		cmocka_unit_test(test_cave_declines_ret_in_immediate),
		cmocka_unit_test(test_cave_declines_ret_behind_a_ret),
		cmocka_unit_test(test_cave_declines_branch_to_its_begin),
		cmocka_unit_test(test_cave_declines_branch_to_its_middle),
		cmocka_unit_test(test_cave_declines_jump_over_nothing),
		cmocka_unit_test(test_cave_declines_long_jump_over_nothing),
		cmocka_unit_test(test_cave_finds_harmless_neighbours),
		cmocka_unit_test(test_cave_finds_branch_to_behind_it),
		cmocka_unit_test(test_cave_finds_branch_to_before_it),
		cmocka_unit_test(test_cave_declines_jcc_before),
		cmocka_unit_test(test_cave_declines_jcc_before_to_its_last_byte),
		cmocka_unit_test(test_cave_declines_jmp_before),
		cmocka_unit_test(test_cave_declines_jrcxz_before),
		cmocka_unit_test(test_cave_declines_loop_before),
		cmocka_unit_test(test_cave_declines_loopne_before),
		cmocka_unit_test(test_cave_declines_hidden_before),
		cmocka_unit_test(test_cave_declines_long_jmp_before),
		cmocka_unit_test(test_cave_declines_direct_call_before),
		cmocka_unit_test(test_cave_declines_long_jcc_before),
		cmocka_unit_test(test_cave_declines_xbegin_before),
		cmocka_unit_test(test_cave_declines_jcc_after),
		cmocka_unit_test(test_cave_declines_jmp_after),
		cmocka_unit_test(test_cave_declines_long_jmp_after),
		cmocka_unit_test(test_cave_declines_long_jcc_after),
		cmocka_unit_test(test_cave_declines_zeros),
		cmocka_unit_test(test_cave_declines_code),
		cmocka_unit_test(test_cave_declines_endbr),
		cmocka_unit_test(test_cave_declines_too_few),
		cmocka_unit_test(test_cave_declines_four_bytes),
		cmocka_unit_test(test_cave_declines_end_between),
		cmocka_unit_test(test_cave_declines_int3_end_between),
		cmocka_unit_test(test_cave_declines_nop_across),
		cmocka_unit_test(test_cave_declines_begin_at_8),
		cmocka_unit_test(test_cave_declines_begin_at_16),
		cmocka_unit_test(test_cave_declines_nops_behind_16),
		cmocka_unit_test(test_cave_declines_five_single_nops),
		cmocka_unit_test(test_cave_declines_single_nops),
		cmocka_unit_test(test_cave_declines_end_of_memory),
		cmocka_unit_test(test_cave_declines_cut_padding),
		cmocka_unit_test(test_cave_finds_what_is_not_taken),
		cmocka_unit_test(test_cave_finds_last_byte_ahead),
		cmocka_unit_test(test_cave_declines_one_more_ahead),
		cmocka_unit_test(test_cave_declines_the_rest_of_a_run_ahead),
		cmocka_unit_test(test_cave_reaches_back),
		cmocka_unit_test(test_cave_finds_gap_behind),
		cmocka_unit_test(test_cave_finds_gap_behind_last_row),
		cmocka_unit_test(test_cave_declines_gap_without_table),
		cmocka_unit_test(test_cave_finds_gap_before),
		cmocka_unit_test(test_cave_finds_gap_of_the_next),
		cmocka_unit_test(test_cave_finds_gap_of_the_next_but_one),
		cmocka_unit_test(test_cave_finds_long_gap),
		cmocka_unit_test(test_cave_finds_inside_behind_row),
		cmocka_unit_test(test_cave_finds_inside_at_multiple_of_8),
		cmocka_unit_test(test_cave_declines_inside_with_function_there),
		cmocka_unit_test(test_cave_declines_inside_with_function_later),
		cmocka_unit_test(test_cave_declines_function_behind_ret),
		cmocka_unit_test(test_cave_finds_the_end_of_a_long_gap),
		cmocka_unit_test(test_cave_declines_gap_behind_call),
		cmocka_unit_test(test_cave_declines_gap_behind_fall),
		cmocka_unit_test(test_cave_declines_gap_behind_ud2),
		cmocka_unit_test(test_cave_declines_gap_behind_part),
		cmocka_unit_test(test_cave_declines_gap_inside_instruction),
		cmocka_unit_test(test_cave_declines_gap_to_no_multiple),
		cmocka_unit_test(test_cave_declines_gap_with_code),
		cmocka_unit_test(test_cave_declines_gap_with_endbr),
		cmocka_unit_test(test_cave_declines_gap_with_branch_into_it),
		cmocka_unit_test(test_cave_declines_gap_of_single_nops),
		cmocka_unit_test(test_cave_declines_gap_far_from_rows),
	};

	return cmocka_run_group_tests(tests, bind_decoder, NULL);
}
