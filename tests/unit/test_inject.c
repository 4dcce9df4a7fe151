/* test_inject.c - ZLAZY_FAULT (base/inject.c)
 *
 *   a number         that call fails, once, and no other name's
 *   all calls        of one name; of every name
 *   random           the same calls for the same seed, others for another; about one in RATE
 *   counts           of what was made and failed, from the start on
 *   bad forms        are refused
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/inject.h"
#include "base/types.h"
#include <stdatomic.h>

enum { CALLS = 3000 };

static unsigned count_failures(enum zl_own_call call, unsigned calls)
{
	unsigned failed = 0;
	for (unsigned i = 0; i < calls; i++)
		failed += zl_inject(call) != 0;
	return failed;
}

static void test_inject_fails_one_call(void **state)
{
	(void)state;
	assert_true(zl_inject_parse("open:3"));
	assert_int_equal(count_failures(ZL_OWN_OPEN, 2), 0);
	assert_int_equal(count_failures(ZL_OWN_OPEN, 1), 1);
	assert_int_equal(count_failures(ZL_OWN_OPEN, CALLS), 0);
	assert_int_equal(count_failures(ZL_OWN_MAP, CALLS), 0);
}

static void test_inject_fails_all_calls(void **state)
{
	(void)state;
	assert_true(zl_inject_parse("write:*"));
	assert_int_equal(count_failures(ZL_OWN_WRITE, CALLS), CALLS);
	assert_int_equal(count_failures(ZL_OWN_MAP, CALLS), 0);
	assert_true(zl_inject_parse("all:*"));
	for (unsigned call = 0; call < ZL_OWN_CALLS; call++)
		assert_int_equal(count_failures(call, 10), 10);
}

/* A bit for each of the first 64 calls. */
static uint64_t pattern(const char *specification)
{
	uint64_t bits = 0;
	assert_true(zl_inject_parse(specification));
	for (unsigned i = 0; i < 64; i++)
		bits |= (uint64_t)(zl_inject(ZL_OWN_MAP) != 0) << i;
	return bits;
}

static void test_inject_at_random_by_seed(void **state)
{
	uint64_t one = pattern("map:random=1/2");

	(void)state;
	assert_int_equal(pattern("map:random=1/2"), one);
	assert_int_equal(pattern("all:random=1/2"), one);
	assert_int_not_equal(pattern("map:random=2/2"), one);
	assert_int_equal(pattern("map:random=7/1"), ~0UL);
}

static void test_inject_at_random_by_rate(void **state)
{
	(void)state;
	assert_true(zl_inject_parse("all:random=5/10"));
	for (unsigned call = 0; call < ZL_OWN_CALLS; call++)
		assert_in_range(count_failures(call, CALLS), CALLS / 10 - 90, CALLS / 10 + 90);   /* five sigma */
}

static void test_inject_counts(void **state)
{
	static struct zl_own_calls calls;
	uint64_t before;

	(void)state;
	assert_true(zl_inject_parse("dup:1"));
	zl_inject(ZL_OWN_DUP);
	zl_inject_count_in(&calls);
	before = calls.made[ZL_OWN_DUP];
	assert_true(before > 0 && calls.failed[ZL_OWN_DUP] > 0);
	zl_inject(ZL_OWN_DUP);
	assert_int_equal(calls.made[ZL_OWN_DUP], before + 1);
}

static void test_inject_refuses_other_forms(void **state)
{
	static const char *const bad[] = { "", "map", "map:", "map:0", "map:-1", "map:x", "mapp:1", "nothing:1", "all", "all:",
		"all:0", "map:random", "map:random=", "map:random=1", "map:random=1/", "map:random=1/0", "map:random=/2",
		"map:random=1/2/3", "all:random=x/2", "map:*1" };

	(void)state;
	for (size_t i = 0; i < ZL_ARRAY_SIZE(bad); i++)
		if (zl_inject_parse(bad[i]))
			fail_msg("taken: %s", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inject_fails_one_call),
		cmocka_unit_test(test_inject_fails_all_calls),
		cmocka_unit_test(test_inject_at_random_by_seed),
		cmocka_unit_test(test_inject_at_random_by_rate),
		cmocka_unit_test(test_inject_counts),
		cmocka_unit_test(test_inject_refuses_other_forms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
