/* test_sites.c - the sparse bitmap of sites (base/sites.h, lazy/sites.c)
 *
 * not there before it is published; published, retracted, published again; refused, and published after that, and the reverse;
 * neighbours in the same word, the first and last byte of a page; pages that share a directory entry; addresses
 * above 2^47 and 2^56; more leaves than the static ones, and many, in few ranges; a leaf is made once.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/ranges.h"
#include "lazy/sites.h"

bool zl_copy_hides_zero;       /* trampoline/zero.c has it */
const char zl_entry_stub[1];   /* trampoline/entry.S has it */

static const uintptr_t SAME_ENTRY = (uintptr_t)ZL_PAGE << SITES_DIRECTORY_BITS;

static bool is_refused(uintptr_t after)
{
	const struct zl_leaf *leaf = zl_leaf_find(after);
	return leaf && zl_site_bit(leaf->refused, after);
}

static void test_sites_unknown_is_not_patched(void **state)
{
	(void)state;
	assert_null(zl_leaf_find(0x1000002));
	assert_false(zl_site_state(0x1000002));
}

static void test_sites_publish_and_retract(void **state)
{
	const uintptr_t after = 0x2000123;
	struct zl_leaf *leaf = zl_leaf_make(after);

	(void)state;
	assert_non_null(leaf);
	assert_false(zl_site_state(after));
	zl_site_publish(leaf, after, ZL_SITE_PATCHED);
	assert_true(zl_site_state(after));
	zl_site_retract(leaf, after);
	assert_false(zl_site_state(after));
	zl_site_publish(leaf, after, ZL_SITE_PATCHED);
	assert_true(zl_site_state(after));
}

static bool is_seen(uintptr_t after)
{
	return atomic_load(&zl_sites_seen[after % SITES_SEEN]) == after;
}

static void test_sites_seen_holds_only_what_is_patched(void **state)
{
	const uintptr_t first = 0x2800000, second = first + SITES_SEEN;
	struct zl_leaf *leaf[] = { zl_leaf_make(first), zl_leaf_make(second) };

	(void)state;
	for (uintptr_t at = 0; at < SITES_SEEN; at++)
		assert_false(is_seen(at) || zl_site_was(at));   /* address 0 among them: what a jump through NULL may find on the stack */
	zl_site_publish(leaf[0], first, ZL_SITE_PATCHED);
	assert_true(is_seen(first));
	zl_site_publish(leaf[1], second, ZL_SITE_PATCHED);
	assert_true(is_seen(second));
	zl_site_retract(leaf[0], first);
	assert_true(is_seen(second));
	zl_site_refuse(leaf[1], second);
	assert_false(is_seen(second));
	assert_false(is_seen(0));
}

static void test_sites_publish_ends_refusal(void **state)
{
	const uintptr_t after = 0x3000040;
	struct zl_leaf *leaf = zl_leaf_make(after);

	(void)state;
	zl_site_refuse(leaf, after);
	assert_true(is_refused(after));
	assert_false(zl_site_state(after));
	zl_site_publish(leaf, after, ZL_SITE_PATCHED);
	assert_false(is_refused(after));
	assert_true(zl_site_state(after));
}

static void test_sites_refusal_ends_a_record(void **state)
{
	const uintptr_t after = 0x3100040;
	struct zl_leaf *leaf = zl_leaf_make(after);

	(void)state;
	zl_site_publish(leaf, after, ZL_SITE_PATCHED);
	zl_site_refuse(leaf, after);
	assert_true(is_refused(after));
	assert_false(zl_site_state(after));
}

static void test_sites_neighbours_are_apart(void **state)
{
	const uintptr_t page = 0x4000000;
	static const unsigned offsets[] = { 0, 1, 2, 63, 64, 65, 127, 4094, 4095 };
	struct zl_leaf *leaf = zl_leaf_make(page);

	(void)state;
	for (size_t i = 0; i < ZL_ARRAY_SIZE(offsets); i++) {
		zl_site_publish(leaf, page + offsets[i], ZL_SITE_PATCHED);
		for (unsigned at = 0; at < ZL_PAGE; at++)
			assert_int_equal(zl_site_state(page + at), at == offsets[i]);
		zl_site_retract(leaf, page + offsets[i]);
	}
	assert_false(zl_site_state(page + ZL_PAGE));
	assert_false(zl_site_state(page - 1));
}

static void test_sites_share_a_directory_entry(void **state)
{
	const uintptr_t first = 0x5000010;
	struct zl_leaf *leaf[5];

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		leaf[i] = zl_leaf_make(first + i * SAME_ENTRY);
		assert_non_null(leaf[i]);
		assert_false(zl_site_state(first + i * SAME_ENTRY));
		zl_site_publish(leaf[i], first + i * SAME_ENTRY, ZL_SITE_PATCHED);
	}
	zl_site_retract(leaf[2], first + 2 * SAME_ENTRY);
	for (unsigned i = 0; i < 5; i++) {
		assert_ptr_equal(zl_leaf_find(first + i * SAME_ENTRY), leaf[i]);
		assert_int_equal(zl_site_state(first + i * SAME_ENTRY), i != 2);
	}
	assert_null(zl_leaf_find(first + 5 * SAME_ENTRY));
}

static void test_sites_any_address(void **state)
{
	static const uintptr_t addresses[] = { 2, 0x7fffffffe002, 0x800000000123, 0xffffffffff123 /* 2^52 */,
		0xfffffffffffffe /* 2^56 */, 0xffffffffff600009 };

	(void)state;
	for (size_t i = 0; i < ZL_ARRAY_SIZE(addresses); i++) {
		struct zl_leaf *leaf = zl_leaf_make(addresses[i]);
		assert_non_null(leaf);
		zl_site_publish(leaf, addresses[i], ZL_SITE_PATCHED);
		for (size_t k = 0; k < ZL_ARRAY_SIZE(addresses); k++)
			assert_int_equal(zl_site_state(addresses[k]), k <= i);
	}
	assert_false(zl_site_state(0x123));                     /* 0x800000000123 less its high bit */
}

static void test_sites_leaf_is_made_once(void **state)
{
	(void)state;
	assert_ptr_equal(zl_leaf_make(0x6000001), zl_leaf_make(0x6000fff));
	assert_ptr_not_equal(zl_leaf_make(0x6000fff), zl_leaf_make(0x6001000));
}

enum { MANY = 20000, FEW = 24 };

static void count_one(uintptr_t start, uintptr_t end, void *count)
{
	(void)start, (void)end;
	++*(unsigned *)count;
}

static void test_sites_many_pages(void **state)
{
	const uintptr_t first = 0x700000000000;
	unsigned ranges = 0;

	(void)state;
	for (uintptr_t i = 0; i < MANY; i++) {
		struct zl_leaf *leaf = zl_leaf_make(first + i * ZL_PAGE);
		assert_non_null(leaf);
		assert_int_equal(leaf->page, (first + i * ZL_PAGE) / ZL_PAGE);
		zl_site_publish(leaf, first + i * ZL_PAGE + i % ZL_PAGE, ZL_SITE_PATCHED);
	}
	for (uintptr_t i = 0; i < MANY; i++) {
		assert_true(zl_site_state(first + i * ZL_PAGE + i % ZL_PAGE));
		assert_false(zl_site_state(first + i * ZL_PAGE + (i + 1) % ZL_PAGE));
	}
	zl_ranges_each(count_one, &ranges);
	assert_in_range(ranges, 1, FEW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sites_unknown_is_not_patched),
		cmocka_unit_test(test_sites_publish_and_retract),
		cmocka_unit_test(test_sites_seen_holds_only_what_is_patched),
		cmocka_unit_test(test_sites_publish_ends_refusal),
		cmocka_unit_test(test_sites_refusal_ends_a_record),
		cmocka_unit_test(test_sites_neighbours_are_apart),
		cmocka_unit_test(test_sites_share_a_directory_entry),
		cmocka_unit_test(test_sites_any_address),
		cmocka_unit_test(test_sites_leaf_is_made_once),
		cmocka_unit_test(test_sites_many_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
