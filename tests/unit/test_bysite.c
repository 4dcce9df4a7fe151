/* test_bysite.c - many stubs (lazy/bysite.c, lazy/pools.c)
 *
 *   many         each is found by its site, by its jump and by a pc in its code; in few pools, and few ranges
 *   no memory    for a larger table: all are found in the one that there is
 *   no lock      who looks for a stub while others are made finds it
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "stubs.h"
#include "base/inject.h"
#include "base/ranges.h"
#include "lazy/codefd.h"
#include <pthread.h>

enum { MANY = 60000, SOME = 3000, APART = 16, FEW_POOLS = 24, FEW_RANGES = 64, LOOKED_AT = 1009 };
enum { BEFORE_GROWTH = 2000, AFTER_GROWTH = 2200 };
static const uintptr_t FAR = 1UL << 33;

static uintptr_t site(uintptr_t base, unsigned i)
{
	return base + (uintptr_t)i * APART;
}

static void expect_found(uintptr_t after)
{
	const struct zl_stub *stub = zl_stub_find(after);
	size_t offset = 1;

	assert_non_null(stub);
	assert_int_equal(stub->after, after);
	assert_ptr_equal(zl_stub_from(stub->start), stub);
	assert_ptr_equal(zl_stub_at(stub->code, &offset), stub);
	assert_int_equal(offset, 0);
	assert_int_equal(stub->data->after, after);
}

static void count_one(uintptr_t start, uintptr_t end, void *count)
{
	(void)start, (void)end;
	++*(unsigned *)count;
}

static void test_bysite_many(void **state)
{
	const uintptr_t base = 0x510000000012;
	unsigned pools = 0, before = 0, ranges = 0;

	stubs_begin(state);
	zl_ranges_each(count_one, &before);
	for (unsigned i = 0; i < MANY; i++)
		assert_non_null(i % LOOKED_AT ? zl_stub_make(site(base, i), &mov_eax) : stubs_make(site(base, i), &mov_eax));
	for (unsigned i = 0; i < MANY; i++)
		expect_found(site(base, i));
	for (unsigned i = 0; i < MANY; i += LOOKED_AT)
		stubs_expect_code(zl_stub_find(site(base, i)), site(base, i), &mov_eax);
	assert_null(zl_stub_find(site(base, MANY)));
	assert_null(zl_stub_from(site(base, MANY) - ZL_SITE_SIZE - ZL_MOV_SIZE));
	for (const struct zl_pool *pool = zl_pools_first(); pool; pool = pool->next)
		pools += zl_pool_is_near(pool, base);
	zl_ranges_each(count_one, &ranges);
	assert_in_range(pools, 1, FEW_POOLS);
	assert_in_range(ranges, before + 1, before + FEW_RANGES);
}

/* First: the table is the smallest. */
static void test_bysite_without_memory(void **state)
{
	const uintptr_t base = 0x510000000012 + FAR;

	stubs_begin(state);
	for (unsigned i = 0; i < AFTER_GROWTH; i++) {
		assert_true(zl_inject_parse(i < BEFORE_GROWTH ? "all:1000000000" : "map:*"));
		if (zl_stub_make(site(base, i), &mov_eax))
			continue;
		assert_true(zl_inject_parse("all:1000000000"));   /* no pool, either */
		assert_non_null(zl_stub_make(site(base, i), &mov_eax));
	}
	assert_true(zl_inject_parse("all:1000000000"));
	for (unsigned i = 0; i < AFTER_GROWTH; i++)
		expect_found(site(base, i));
}

static const uintptr_t raced = 0x510000000012 + 2 * FAR;
static _Atomic bool is_over, is_looking;
static unsigned missed;

static void *look(void *unused)
{
	(void)unused;
	while (!is_over)
		for (unsigned i = 0; i < SOME; i += 7) {
			const struct zl_stub *stub = zl_stub_from(site(raced, i) - ZL_SITE_SIZE - ZL_MOV_SIZE);
			missed += !stub || stub->after != site(raced, i);
			is_looking = true;
		}
	return NULL;
}

static void test_bysite_without_lock(void **state)
{
	pthread_t thread;

	stubs_begin(state);
	for (unsigned i = 0; i < SOME; i++)
		assert_non_null(zl_stub_make(site(raced, i), &mov_eax));
	assert_int_equal(pthread_create(&thread, NULL, look, NULL), 0);
	while (!is_looking)
		;
	for (unsigned i = SOME; i < MANY; i++)
		assert_non_null(zl_stub_make(site(raced, i), &mov_eax));
	is_over = true;
	pthread_join(thread, NULL);
	assert_int_equal(missed, 0);
}

static int start(void **state)
{
	(void)state;
	zl_codefd_open();
	return zl_codefd_get() < 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bysite_without_memory),
		cmocka_unit_test(test_bysite_without_lock),
		cmocka_unit_test(test_bysite_many),
	};
	return cmocka_run_group_tests(tests, start, NULL);
}
