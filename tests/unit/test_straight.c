/* test_straight.c - zl_straight_mov() on code given byte for byte; on real code: coverage_jumps.c
 *
 * accepted without a function: mov to eax, mov to rax, negative to rax, 2^32-1 to eax; behind int3, behind ordinary
 *   code that ends in a REX-like byte; as the first bytes of memory; short memory before it.
 * accepted with a function: at its beginning; behind a row; a row at the mov; a row at the site; far from all rows;
 *   in the gap behind a function; a branch to the mov itself.
 * another number: in rax; the sign; a restorer's; nothing but the site; part of a mov before memory begins.
 * another instruction, each without and with a function: REX.B, REX.W (movabs), REX alone, 16 bits, a segment,
 *   address size, c7 to r8, operand size before REX; ModRM b8 with a displacement, with an immediate behind; SIB b8; an
 *   immediate of imul, of add; the displacement and the immediate of a store; mov in a movabs; c7 behind a byte 48.
 * with a function: a row inside the mov; a branch into it; a function that is too long.
 * nothing proven: zeros before, odd and even; memory that begins with data; bytes that disagree.
 * No question decodes more than ZL_MOST_DECODED instructions.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "agent/zydis.h"
#include "lazy/straight.h"
#include <dlfcn.h>
#include <string.h>

#define NR_39 "\xb8\x27\x00\x00\x00"                 /* mov $39,%eax */
#define LONG_39 "\x48\xc7\xc0\x27\x00\x00\x00"       /* mov $39,%rax */
#define SITE "\x0f\x05"
#define RET "\xc3"
#define CODE_16 "\x48\x89\xc3\x48\x85\xdb\x74\x05\x48\x8b\x43\x10\x31\xc9\x89\xca"
#define CODE_64 CODE_16 CODE_16 CODE_16 CODE_16
#define CODE CODE_64 CODE_64 CODE_64
#define ROWS(...) ((const struct zl_row[]){ { 0, 8, ZL_CFA_RSP }, __VA_ARGS__ }), \
	sizeof((struct zl_row[]){ { 0, 8, ZL_CFA_RSP }, __VA_ARGS__ }) / sizeof(struct zl_row)
#define NO_ROWS ((const struct zl_row[]){ { 0, 8, ZL_CFA_RSP } }), 1

bool zl_copy_hides_zero;   /* trampoline/zero.c has it */
static const struct zl_decoder *zydis;
static unsigned decodings;
static struct zl_code code;

static int count_decode(const uint8_t *bytes, unsigned available, struct zl_insn *insn)
{
	decodings++;
	return zydis->decode(bytes, available, insn);
}

static struct zl_decoder counting = { .decode = count_decode };

static unsigned ask(uint64_t number)
{
	static struct zl_reading reading;
	unsigned length;

	decodings = 0;
	zl_reading_begin(&reading, &code);
	length = zl_straight_mov(&reading, number);
	assert_true(decodings <= ZL_MOST_DECODED);
	return length;
}

/* The answer for the last site of the bytes, without a function. */
static unsigned in_window(uint64_t number, const char *bytes, size_t size)
{
	size_t site = size - 2, first;

	while (memcmp(bytes + site, SITE, 2) != 0)
		site--;
	first = site > ZL_JUDGE_BEFORE ? site - ZL_JUDGE_BEFORE : 0;
	code = (struct zl_code){ .site_offset = (unsigned)(site - first), .size = (unsigned)(size - first) };
	memcpy(code.bytes, bytes + first, code.size);
	return ask(number);
}

/* The same with one. */
static unsigned in_function(uint64_t number, const char *bytes, size_t size, const struct zl_row *rows, size_t count)
{
	size_t site = size - 2;

	while (memcmp(bytes + site, SITE, 2) != 0)
		site--;
	code = (struct zl_code){ .site_offset = (unsigned)site, .size = (unsigned)size, .has_function = true };
	memcpy(code.bytes, bytes, size);
	memcpy(code.function.row, rows, count * sizeof(*rows));
	code.function.rows = (unsigned)count;
	code.function.begin = 0x10000;
	code.function.end = 0x10000 + size;
	return ask(number);
}

#define WINDOW(name, expected, number, bytes) \
	static void test_straight_##name(void **state) \
	{ \
		(void)state; \
		assert_int_equal(in_window(number, bytes, sizeof(bytes) - 1), expected); \
	}
#define FUNCTION(name, expected, number, bytes, ...) \
	static void test_straight_##name(void **state) \
	{ \
		(void)state; \
		assert_int_equal(in_function(number, bytes, sizeof(bytes) - 1, __VA_ARGS__), expected); \
	}
/* Bytes that end in the site and are declined with a function around them and without. */
#define DECLINES(name, number, bytes) \
	static void test_straight_declines_##name(void **state) \
	{ \
		(void)state; \
		assert_int_equal(in_window(number, CODE bytes CODE, sizeof(CODE bytes CODE) - 1), 0); \
		assert_int_equal(in_function(number, CODE_16 bytes CODE, sizeof(CODE_16 bytes CODE) - 1, NO_ROWS), 0); \
		assert_int_equal(in_function(number, CODE bytes CODE, sizeof(CODE bytes CODE) - 1, NO_ROWS), 0); \
	}

WINDOW(accepts_mov_eax, 5, 39, CODE NR_39 SITE RET)
WINDOW(accepts_mov_rax, 7, 39, CODE LONG_39 SITE RET)
WINDOW(accepts_negative_rax, 7, -2ul, CODE "\x48\xc7\xc0\xfe\xff\xff\xff" SITE RET)
WINDOW(accepts_unsigned_eax, 5, 0xffffffff, CODE "\xb8\xff\xff\xff\xff" SITE RET)
WINDOW(accepts_behind_int3, 5, 39,
       CODE RET "\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc" NR_39 SITE RET)
/* mov 16(%rsp),%rdx: its last byte and the mov read as one instruction, too */
WINDOW(accepts_behind_modrm_like, 5, 39, CODE "\x48\x8b\x54\x24\x10" NR_39 SITE RET)
WINDOW(accepts_first_bytes, 5, 39, NR_39 SITE RET)
WINDOW(accepts_short_memory, 5, 39, "\xf3\x0f\x1e\xfa" NR_39 SITE RET)
FUNCTION(accepts_beginning, 5, 39, NR_39 SITE RET, NO_ROWS)
FUNCTION(accepts_behind_row, 7, 39, "\x53\x48\x8b\x54\x24\x10" LONG_39 SITE RET, ROWS({ 1, 16, ZL_CFA_RSP }))
FUNCTION(accepts_row_at_mov, 5, 39, CODE_16 NR_39 SITE RET, ROWS({ 16, 16, ZL_CFA_RSP }))
FUNCTION(accepts_row_at_site, 5, 39, CODE_16 NR_39 SITE RET, ROWS({ 21, 16, ZL_CFA_RSP }))
FUNCTION(accepts_far_from_rows, 5, 39, CODE CODE_64 NR_39 SITE RET, NO_ROWS)
FUNCTION(accepts_branch_to_mov, 5, 39, "\x74\x02\x31\xff" NR_39 SITE RET, NO_ROWS)

static void test_straight_accepts_in_gap(void **state)
{
	static const char bytes[] = CODE_16 RET "\x31\xff" NR_39 SITE "\xf4";

	(void)state;
	(void)in_function(39, bytes, sizeof bytes - 1, ROWS({ 17, 0, ZL_CFA_UNKNOWN }));
	code.function.has_gap = true;
	assert_int_equal(ask(39), 5);
}

DECLINES(another_number, 40, NR_39 SITE)
DECLINES(high_bits, 1ul << 32 | 39, NR_39 SITE)
DECLINES(sign_of_eax, -1ul, "\xb8\xff\xff\xff\xff" SITE)
DECLINES(sign_of_rax, 0xffffffff, "\x48\xc7\xc0\xff\xff\xff\xff" SITE)
DECLINES(restorer, 15, "\x48\xc7\xc0\x0f\x00\x00\x00" SITE)
DECLINES(no_mov, 39, "\x89\xf8" SITE)
WINDOW(declines_lone_site, 0, 39, SITE RET)
WINDOW(declines_cut_mov, 0, 39, "\x27\x00\x00\x00" SITE RET)
WINDOW(declines_cut_long_mov, 0, 39, "\xc7\xc0\x27\x00\x00\x00" SITE RET)

DECLINES(rex_b, 39, "\x41" NR_39 SITE)
DECLINES(movabs, 39, "\x48" NR_39 SITE "\x90")
DECLINES(rex_b_movabs, 39, "\x49" NR_39 SITE "\x90")
DECLINES(plain_rex, 39, "\x40" NR_39 SITE)
DECLINES(two_bytes_more, 39, "\x66" NR_39 SITE)
DECLINES(segment, 39, "\x2e" NR_39 SITE)
DECLINES(address_size, 39, "\x67" NR_39 SITE)
DECLINES(repeat, 39, "\xf3" NR_39 SITE)
DECLINES(prefix_before_rex, 39, "\x66" LONG_39 SITE)
DECLINES(fs_before_rex, 39, "\x64" LONG_39 SITE)
DECLINES(r8, 39, "\x49\xc7\xc0\x27\x00\x00\x00" SITE)
DECLINES(modrm, 39, "\x8b" NR_39 SITE)
DECLINES(modrm_of_wide_opcode, 39, "\x0f\xb6" NR_39 SITE)
DECLINES(modrm_and_immediate, 39, "\x80" NR_39 SITE)
DECLINES(modrm_and_long_immediate, 39, "\x81" NR_39 SITE "\x01\x02")
DECLINES(sib, 39, "\x8b\x84" NR_39 SITE)
DECLINES(sib_and_rex, 39, "\x4a\x8d\x84" NR_39 SITE)
DECLINES(immediate_of_imul, 39, "\x69\x83\x11\x22\x33" NR_39 SITE)
DECLINES(displacement_and_immediate, 39, "\xc7\x83\x11\x22\x33" NR_39 SITE)
DECLINES(address_and_immediate, 39, "\xc7\x05\x11\x22\x33" NR_39 SITE)
DECLINES(immediate_of_add, 39, "\x48\x05" NR_39 SITE "\x01\x02")
DECLINES(relative_call, 39, "\xe8" NR_39 SITE)
DECLINES(relative_jcc, 39, "\x0f\x84" NR_39 SITE)
DECLINES(whole_in_movabs, 39, "\x48\xb8" NR_39 SITE "\xc3")
DECLINES(movabs_of_long_mov, 39, "\x48\xb8\x11" LONG_39 SITE)
/* the nearest offsets all lead to the mov */
DECLINES(nops_in_movabs, 39, "\x48\xb8\x90\x90\x90\x90" NR_39 SITE)
/* add $0x48,%eax; mov $39,%eax in six bytes */
DECLINES(immediate_before_c7, 39, "\x83\xc0\x48\xc7\xc0\x27\x00\x00\x00" SITE)
DECLINES(jump_over_a_prefix, 39, "\xeb\x01\x48" NR_39 SITE)

FUNCTION(declines_row_inside, 0, 39, CODE_16 NR_39 SITE RET, ROWS({ 18, 16, ZL_CFA_RSP }))
FUNCTION(declines_branch_into_mov, 0, 39, "\x74\x03\x31\xff" NR_39 SITE RET, NO_ROWS)
FUNCTION(declines_jump_into_mov, 0, 39, "\x74\x02\xeb\x01" NR_39 SITE RET, NO_ROWS)

static void test_straight_declines_too_long(void **state)
{
	(void)state;
	(void)in_function(39, NR_39 SITE RET, 8, NO_ROWS);
	code.is_too_long = true;
	assert_int_equal(ask(39), 0);
}

#define ZEROS_16 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
WINDOW(declines_odd_zeros_before_movabs, 0, 39, ZEROS_16 ZEROS_16 "\x00\x48\xb8" NR_39 SITE RET)
WINDOW(declines_even_zeros_before_movabs, 0, 39, ZEROS_16 ZEROS_16 "\x48\xb8" NR_39 SITE RET)
/* decoding from the beginning of memory steps over the movabs's first byte and arrives at what looks like a mov */
WINDOW(declines_data_before_movabs, 0, 39, "\x05\x11\x22\x33\x48\xb8" NR_39 SITE RET)
WINDOW(declines_prefix_at_beginning, 0, 39, "\x41" NR_39 SITE RET)

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
		cmocka_unit_test(test_straight_accepts_mov_eax),
		cmocka_unit_test(test_straight_accepts_mov_rax),
		cmocka_unit_test(test_straight_accepts_negative_rax),
		cmocka_unit_test(test_straight_accepts_unsigned_eax),
		cmocka_unit_test(test_straight_accepts_behind_int3),
		cmocka_unit_test(test_straight_accepts_behind_modrm_like),
		cmocka_unit_test(test_straight_accepts_first_bytes),
		cmocka_unit_test(test_straight_accepts_short_memory),
		cmocka_unit_test(test_straight_accepts_beginning),
		cmocka_unit_test(test_straight_accepts_behind_row),
		cmocka_unit_test(test_straight_accepts_row_at_mov),
		cmocka_unit_test(test_straight_accepts_row_at_site),
		cmocka_unit_test(test_straight_accepts_far_from_rows),
		cmocka_unit_test(test_straight_accepts_branch_to_mov),
		cmocka_unit_test(test_straight_accepts_in_gap),
		cmocka_unit_test(test_straight_declines_another_number),
		cmocka_unit_test(test_straight_declines_high_bits),
		cmocka_unit_test(test_straight_declines_sign_of_eax),
		cmocka_unit_test(test_straight_declines_sign_of_rax),
		cmocka_unit_test(test_straight_declines_restorer),
		cmocka_unit_test(test_straight_declines_no_mov),
		cmocka_unit_test(test_straight_declines_lone_site),
		cmocka_unit_test(test_straight_declines_cut_mov),
		cmocka_unit_test(test_straight_declines_cut_long_mov),
		cmocka_unit_test(test_straight_declines_rex_b),
		cmocka_unit_test(test_straight_declines_movabs),
		cmocka_unit_test(test_straight_declines_rex_b_movabs),
		cmocka_unit_test(test_straight_declines_plain_rex),
		cmocka_unit_test(test_straight_declines_two_bytes_more),
		cmocka_unit_test(test_straight_declines_segment),
		cmocka_unit_test(test_straight_declines_address_size),
		cmocka_unit_test(test_straight_declines_repeat),
		cmocka_unit_test(test_straight_declines_prefix_before_rex),
		cmocka_unit_test(test_straight_declines_fs_before_rex),
		cmocka_unit_test(test_straight_declines_r8),
		cmocka_unit_test(test_straight_declines_modrm),
		cmocka_unit_test(test_straight_declines_modrm_of_wide_opcode),
		cmocka_unit_test(test_straight_declines_modrm_and_immediate),
		cmocka_unit_test(test_straight_declines_modrm_and_long_immediate),
		cmocka_unit_test(test_straight_declines_sib),
		cmocka_unit_test(test_straight_declines_sib_and_rex),
		cmocka_unit_test(test_straight_declines_immediate_of_imul),
		cmocka_unit_test(test_straight_declines_displacement_and_immediate),
		cmocka_unit_test(test_straight_declines_address_and_immediate),
		cmocka_unit_test(test_straight_declines_immediate_of_add),
		cmocka_unit_test(test_straight_declines_relative_call),
		cmocka_unit_test(test_straight_declines_relative_jcc),
		cmocka_unit_test(test_straight_declines_whole_in_movabs),
		cmocka_unit_test(test_straight_declines_movabs_of_long_mov),
		cmocka_unit_test(test_straight_declines_nops_in_movabs),
		cmocka_unit_test(test_straight_declines_immediate_before_c7),
		cmocka_unit_test(test_straight_declines_jump_over_a_prefix),
		cmocka_unit_test(test_straight_declines_row_inside),
		cmocka_unit_test(test_straight_declines_branch_into_mov),
		cmocka_unit_test(test_straight_declines_jump_into_mov),
		cmocka_unit_test(test_straight_declines_too_long),
		cmocka_unit_test(test_straight_declines_odd_zeros_before_movabs),
		cmocka_unit_test(test_straight_declines_even_zeros_before_movabs),
		cmocka_unit_test(test_straight_declines_data_before_movabs),
		cmocka_unit_test(test_straight_declines_prefix_at_beginning),
	};

	return cmocka_run_group_tests(tests, bind_decoder, NULL);
}
