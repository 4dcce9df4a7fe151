/* test_ranges.c - the list of the agent's ranges (base/ranges.c)
 *
 * find: nothing, page zero, whole, clipped at both ends, the lowest of several, by kind; addresses above 2^47; a range
 * longer than one word holds; remove: whole, head, tail, middle, other kind left alone; more ranges than one block
 * holds, which then guards itself; threads that add and remove while one looks.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/ranges.h"
#include <pthread.h>
#include <stdatomic.h>

#define A 0x700000000000UL
#define P 4096UL

static struct zl_range found;

static bool find(uintptr_t start, uintptr_t end)
{
	return zl_ranges_find(start, end, ZL_RANGE_KINDS, &found);
}

static void expect(uintptr_t start, uintptr_t end, uintptr_t low, uintptr_t high)
{
	assert_true(find(start, end));
	assert_int_equal(found.start, low);
	assert_int_equal(found.end, high);
}

static void test_ranges_find(void **state)
{
	(void)state;
	assert_false(find(0, -P));
	zl_ranges_add(A, A + 4 * P, ZL_RANGE_AGENT);
	zl_ranges_add(A + 8 * P + 1, A + 9 * P - 1, ZL_RANGE_AGENT);
	expect(0, -P, A, A + 4 * P);
	expect(A - P, A + P, A, A + P);
	expect(A + 3 * P, A + 20 * P, A + 3 * P, A + 4 * P);
	expect(A + 1 * P, A + 2 * P, A + 1 * P, A + 2 * P);
	expect(A + 4 * P, A + 20 * P, A + 8 * P, A + 9 * P);
	assert_false(find(A + 4 * P, A + 8 * P));
	assert_false(find(A - P, A));
	assert_false(find(A + 9 * P, -P));
	zl_ranges_add(0, P, ZL_RANGE_AGENT);
	expect(0, P, 0, P);
	expect(0, -P, 0, P);
	assert_false(find(P, 2 * P));
	zl_ranges_remove(0, -P, ZL_RANGE_AGENT);
	assert_false(find(0, -P));
}

static void test_ranges_remove(void **state)
{
	(void)state;
	zl_ranges_add(A, A + 10 * P, ZL_RANGE_AGENT);
	zl_ranges_remove(A - P, A + 1 * P, ZL_RANGE_AGENT);
	expect(0, -P, A + 1 * P, A + 10 * P);
	zl_ranges_remove(A + 9 * P, A + 12 * P, ZL_RANGE_AGENT);
	expect(0, -P, A + 1 * P, A + 9 * P);
	zl_ranges_remove(A + 4 * P, A + 5 * P, ZL_RANGE_AGENT);
	expect(0, -P, A + 1 * P, A + 4 * P);
	expect(A + 4 * P, -P, A + 5 * P, A + 9 * P);
	zl_ranges_remove(A + 2 * P, A + 8 * P, ZL_RANGE_AGENT);
	expect(0, -P, A + 1 * P, A + 2 * P);
	expect(A + 2 * P, -P, A + 8 * P, A + 9 * P);
	zl_ranges_remove(0, -P, ZL_RANGE_AGENT);
	assert_false(find(0, -P));
}

static void test_ranges_kinds(void **state)
{
	(void)state;
	zl_ranges_add(A, A + 2 * P, ZL_RANGE_HOOKS);
	zl_ranges_add(A + 4 * P, A + 5 * P, ZL_RANGE_AGENT);
	expect(0, -P, A, A + 2 * P);
	assert_true(zl_ranges_find(0, -P, ZL_RANGE_HOOKS, &found));
	assert_int_equal(found.start, A + 4 * P);
	zl_ranges_remove(0, -P, ZL_RANGE_AGENT);
	expect(0, -P, A, A + 2 * P);
	zl_ranges_remove(0, -P, ZL_RANGE_HOOKS);
	assert_false(find(0, -P));
}

static void test_ranges_wide(void **state)
{
	enum { GIB = 1 << 30 };
	uintptr_t high = 0xff000000000000;   /* 57-bit addresses */

	(void)state;
	zl_ranges_add(high, high + 3UL * GIB, ZL_RANGE_AGENT);
	for (uintptr_t at = high; at < high + 3UL * GIB; at += GIB / 4)
		expect(at, at + P, at, at + P);
	expect(high + 3UL * GIB - P, -P, high + 3UL * GIB - P, high + 3UL * GIB);
	zl_ranges_remove(0, -P, ZL_RANGE_AGENT);
	assert_false(find(0, -P));
}

static void add_size(uintptr_t start, uintptr_t end, void *data)
{
	*(uintptr_t *)data += end - start;
}

static void test_ranges_many(void **state)
{
	enum { MANY = 5000 };
	uintptr_t size = 0;

	(void)state;
	for (uintptr_t i = 0; i < MANY; i++)
		zl_ranges_add(A + 2 * i * P, A + (2 * i + 1) * P, ZL_RANGE_AGENT);
	for (uintptr_t i = 0; i < MANY; i++) {
		expect(A + 2 * i * P, A + (2 * i + 2) * P, A + 2 * i * P, A + (2 * i + 1) * P);
		assert_false(find(A + (2 * i + 1) * P, A + (2 * i + 2) * P));
	}
	zl_ranges_remove(A, A + 2 * MANY * P, ZL_RANGE_AGENT);
	assert_true(find(0, -P));   /* a block of the list's own */
	zl_ranges_each(add_size, &size);
	assert_int_equal(size, 2 * 4 * P);
}

static _Atomic bool is_over;

static void *churn(void *argument)
{
	uintptr_t base = A + (uintptr_t)argument * 100 * P;
	for (int i = 0; i < 20000; i++) {
		zl_ranges_add(base, base + 10 * P, ZL_RANGE_AGENT);
		zl_ranges_remove(base + 2 * P, base + 3 * P, ZL_RANGE_AGENT);
		zl_ranges_remove(base, base + 10 * P, ZL_RANGE_AGENT);
	}
	return NULL;
}

static void *look(void *argument)
{
	uintptr_t *wrong = argument;
	while (!is_over) {
		struct zl_range r;
		if (!zl_ranges_find(A - 50 * P, A - 40 * P, ZL_RANGE_KINDS, &r) || r.start != A - 50 * P ||
		    r.end != A - 40 * P)
			++*wrong;
		if (zl_ranges_find(A + 10 * P, A + 100 * P, ZL_RANGE_KINDS, &r))
			++*wrong;
	}
	return NULL;
}

static void test_ranges_threads(void **state)
{
	pthread_t thread[3];
	uintptr_t wrong = 0;

	(void)state;
	zl_ranges_add(A - 50 * P, A - 40 * P, ZL_RANGE_AGENT);
	pthread_create(&thread[2], NULL, look, &wrong);
	for (uintptr_t i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, churn, (void *)i);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	is_over = true;
	pthread_join(thread[2], NULL);
	assert_int_equal(wrong, 0);
	assert_false(find(A, A + 1000 * P));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges_find),
		cmocka_unit_test(test_ranges_remove),
		cmocka_unit_test(test_ranges_kinds),
		cmocka_unit_test(test_ranges_wide),
		cmocka_unit_test(test_ranges_many),
		cmocka_unit_test(test_ranges_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
