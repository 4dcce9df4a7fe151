/* test_string.c - memory and strings without libc (base/string.c)
 *
 * memcpy, memset: sizes 0 to 70, nothing before or after is touched. memmove: every overlap, both directions.
 * memcmp: sign, bytes above 127, length 0. zl_length, zl_equal, zl_after: empty strings, prefixes.
 * zl_parse_number: 0, leading zeros, the largest; empty, sign, blank, letters, hexadecimal, too large.
 *
 * The four names that libc has are renamed, so that it is ours that are tested.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define memcpy zl_memcpy
#define memset zl_memset
#define memmove zl_memmove
#define memcmp zl_memcmp
#include "base/string.h"

enum { SIZES = 70, MARGIN = 16, ROOM = SIZES + 2 * MARGIN };

static void fill(unsigned char *bytes, unsigned seed)
{
	for (unsigned i = 0; i < ROOM; i++)
		bytes[i] = (unsigned char)(i * 37 + seed);
}

static void test_string_memcpy_copies_exactly(void **state)
{
	unsigned char from[ROOM], to[ROOM], expected[ROOM];

	(void)state;
	for (size_t size = 0; size <= SIZES; size++) {
		fill(from, 5);
		fill(to, 90);
		fill(expected, 90);
		for (size_t i = 0; i < size; i++)
			expected[MARGIN + i] = from[3 + i];
		assert_ptr_equal(memcpy(to + MARGIN, from + 3, size), to + MARGIN);
		assert_memory_equal(to, expected, ROOM);
	}
}

static void test_string_memset_fills_exactly(void **state)
{
	unsigned char to[ROOM], expected[ROOM];

	(void)state;
	for (size_t size = 0; size <= SIZES; size++) {
		fill(to, 90);
		fill(expected, 90);
		for (size_t i = 0; i < size; i++)
			expected[MARGIN + i] = 0xa5;
		assert_ptr_equal(memset(to + MARGIN, 0x1a5, size), to + MARGIN);
		assert_memory_equal(to, expected, ROOM);
	}
}

static void test_string_memmove_overlaps(void **state)
{
	unsigned char bytes[ROOM], original[ROOM], expected[ROOM];

	(void)state;
	for (int distance = -MARGIN; distance <= MARGIN; distance++)
		for (size_t size = 0; size <= SIZES - MARGIN; size++) {
			fill(bytes, 1);
			fill(original, 1);
			fill(expected, 1);
			for (size_t i = 0; i < size; i++)
				expected[MARGIN + distance + (int)i] = original[MARGIN + i];
			assert_ptr_equal(memmove(bytes + MARGIN + distance, bytes + MARGIN, size), bytes + MARGIN + distance);
			assert_memory_equal(bytes, expected, ROOM);
		}
}

static void test_string_memcmp_has_a_sign(void **state)
{
	(void)state;
	assert_int_equal(memcmp("abc", "abc", 3), 0);
	assert_int_equal(memcmp("abc", "abd", 2), 0);
	assert_int_equal(memcmp("x", "y", 0), 0);
	assert_true(memcmp("abc", "abd", 3) < 0);
	assert_true(memcmp("abd", "abc", 3) > 0);
	assert_true(memcmp("\xff", "\x01", 1) > 0);
	assert_true(memcmp("a\0b", "a\0c", 3) < 0);
}

static void test_string_length(void **state)
{
	(void)state;
	assert_int_equal(zl_length(""), 0);
	assert_int_equal(zl_length("seven77"), 7);
}

static void test_string_equal(void **state)
{
	(void)state;
	assert_true(zl_equal("", ""));
	assert_true(zl_equal("abc", "abc"));
	assert_false(zl_equal("abc", "ab"));
	assert_false(zl_equal("ab", "abc"));
	assert_false(zl_equal("", "a"));
	assert_false(zl_equal("abc", "abd"));
}

static void test_string_after_prefix(void **state)
{
	const char *text = "ZLAZY_LOG=file";

	(void)state;
	assert_string_equal(zl_after(text, "ZLAZY_LOG="), "file");
	assert_ptr_equal(zl_after(text, ""), text);
	assert_string_equal(zl_after(text, text), "");
	assert_null(zl_after(text, "ZLAZY_LOG=file2"));
	assert_null(zl_after(text, "zlazy"));
	assert_null(zl_after("", "Z"));
}

static void test_string_parses_numbers(void **state)
{
	unsigned long value = 77;

	(void)state;
	assert_true(zl_parse_number("0", &value));
	assert_int_equal(value, 0);
	assert_true(zl_parse_number("007", &value));
	assert_int_equal(value, 7);
	assert_true(zl_parse_number("72057594037927936", &value));
	assert_int_equal(value, 1UL << 56);
}

static void test_string_refuses_what_is_no_number(void **state)
{
	static const char *const wrong[] = { "", " 1", "1 ", "-1", "+1", "0x10", "1a", "a", "1.0", "/", ":",
		"99999999999999999999999999", "18446744073709551617" };
	unsigned long value = 77;

	(void)state;
	for (size_t i = 0; i < ZL_ARRAY_SIZE(wrong); i++)
		assert_false(zl_parse_number(wrong[i], &value));
	assert_int_equal(value, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_string_memcpy_copies_exactly),
		cmocka_unit_test(test_string_memset_fills_exactly),
		cmocka_unit_test(test_string_memmove_overlaps),
		cmocka_unit_test(test_string_memcmp_has_a_sign),
		cmocka_unit_test(test_string_length),
		cmocka_unit_test(test_string_equal),
		cmocka_unit_test(test_string_after_prefix),
		cmocka_unit_test(test_string_parses_numbers),
		cmocka_unit_test(test_string_refuses_what_is_no_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
