/* test_refused.c - the list of refused sites (lazy/refused.c)
 *
 *   same             in memory without a file: the bytes tell; another reason is another entry
 *   traps            counted for their entry, for sites more than the table of known ones has room for, too
 *   full             more kinds of sites than entries: the others are counted
 *   busy             an entry whose owner has died is passed over
 *   processes        that add the same sites at once: the sums are exact
 *   not wanted       nothing is listed, the reasons are counted
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/tally.h"
#include "lazy/refused.h"
#include "lazy/trap.h"
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGES = 64, SIZE = PAGES * 4096, GETPID = 39, RT_SIGRETURN = 15, AFTER = 2 };

bool zl_copy_hides_zero;   /* trampoline/zero.c has it */
const char zl_entry_stub[1];   /* trampoline/entry.S has it */
bool zl_may_rewrite = true;
struct zl_shared *zl_shared;
static uint8_t *memory;

static int set_up(void **state)
{
	(void)state;
	zl_shared = mmap(NULL, sizeof(*zl_shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	zl_shared->lists_sites = 1;
	return zl_shared == MAP_FAILED || memory == MAP_FAILED;
}

static int tear_down(void **state)
{
	(void)state;
	return munmap(zl_shared, sizeof(*zl_shared)) || munmap(memory, SIZE);
}

/* The i-th place, with bytes that `kind` tells apart. */
static uintptr_t lay(unsigned i, uint32_t kind)
{
	uint8_t *site = memory + 16 + 32 * i;
	memcpy(site, "\x0f\x05\xc3", 3);
	memcpy(site + 3, &kind, sizeof(kind));
	return (uintptr_t)site;
}

static unsigned count_entries(uint64_t *sites, uint64_t *traps)
{
	unsigned used = 0;

	*sites = *traps = 0;
	for (unsigned i = 0; i < ZL_SHARED_REFUSED; i++) {
		used += zl_shared->refused[i].state == ZL_REFUSED_READY;
		*sites += zl_shared->refused[i].sites;
		*traps += zl_shared->refused[i].traps;
	}
	return used;
}

static void expect(unsigned entries, uint64_t sites, uint64_t traps)
{
	uint64_t has_sites, has_traps;

	assert_int_equal(count_entries(&has_sites, &has_traps), entries);
	assert_int_equal(has_sites, sites);
	assert_int_equal(has_traps, traps);
}

static void test_refused_joins_what_is_the_same(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++)
		zl_refused_record(lay(i, 7), GETPID, ZL_RED_ZONE);
	expect(1, 100, 100);
	zl_refused_record(lay(100, 8), GETPID, ZL_RED_ZONE);
	expect(2, 101, 101);
	zl_refused_record(lay(101, 7), GETPID, ZL_INSIDE);
	expect(3, 102, 102);
	assert_int_equal(zl_shared->tally.refused[ZL_RED_ZONE], 101);
}

static void test_refused_counts_traps(void **state)
{
	enum { SITES = 500 };

	(void)state;
	for (unsigned i = 0; i < SITES; i++)
		zl_refused_record(lay(i, i % 10), GETPID, ZL_RED_ZONE);
	for (unsigned i = 0; i < SITES; i++)
		for (unsigned times = 0; times < 3; times++)
			zl_refused_trapped((uintptr_t)memory + 16 + 32 * i + AFTER, GETPID);
	zl_refused_trapped((uintptr_t)memory + 16 + AFTER, RT_SIGRETURN);
	expect(10, SITES, 4 * SITES + 1);
	assert_int_equal(zl_shared->tally.at_refused, 3 * SITES);
	assert_int_equal(zl_shared->tally.at_sigreturn, 1);
	zl_may_rewrite = false;
	zl_refused_trapped((uintptr_t)memory + 16 + AFTER, GETPID);
	zl_may_rewrite = true;
	assert_int_equal(zl_shared->tally.at_kept, 1);
}

/* An address that was one entry's and is another's now; and then none's. */
static void test_refused_counts_for_the_last_entry(void **state)
{
	uintptr_t site = lay(0, 1);

	(void)state;
	zl_refused_record(site, GETPID, ZL_RED_ZONE);
	lay(0, 2);
	zl_refused_record(site, GETPID, ZL_RED_ZONE);
	zl_refused_trapped(site + AFTER, GETPID);
	for (unsigned i = 0; i < ZL_SHARED_REFUSED; i++)
		if (zl_shared->refused[i].state)
			assert_int_equal(zl_shared->refused[i].traps, zl_shared->refused[i].bytes[11] == 2 ? 2 : 1);
	expect(2, 2, 3);
}

static void test_refused_is_full(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ZL_SHARED_REFUSED + 100; i++)
		zl_refused_record(lay(i, i), GETPID, ZL_RED_ZONE);
	expect(ZL_SHARED_REFUSED, ZL_SHARED_REFUSED, ZL_SHARED_REFUSED);
	assert_int_equal(zl_shared->unlisted, 100);
	zl_refused_trapped((uintptr_t)memory + 16 + 32 * (ZL_SHARED_REFUSED + 99) + AFTER, GETPID);
	expect(ZL_SHARED_REFUSED, ZL_SHARED_REFUSED, ZL_SHARED_REFUSED);
	zl_refused_record(lay(ZL_SHARED_REFUSED + 100, 5), GETPID, ZL_RED_ZONE);   /* one that it has */
	expect(ZL_SHARED_REFUSED, ZL_SHARED_REFUSED + 1, ZL_SHARED_REFUSED + 1);
}

static void test_refused_passes_busy_entries(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ZL_SHARED_REFUSED; i += 2)
		zl_shared->refused[i].state = ZL_REFUSED_BUSY;
	for (unsigned i = 0; i < 300; i++)
		zl_refused_record(lay(i, i), GETPID, ZL_RED_ZONE);
	for (unsigned i = 0; i < 300; i++)
		zl_refused_record(lay(i, i), GETPID, ZL_RED_ZONE);
	expect(300, 600, 600);
}

static void test_refused_adds_up_over_processes(void **state)
{
	enum { PROCESSES = 8, ROUNDS = 20, KINDS = 300 };
	uint64_t sites, traps;
	unsigned entries;
	int status;

	(void)state;
	for (unsigned i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			for (unsigned n = 0; n < ROUNDS * KINDS; n++)
				zl_refused_record(lay(n % KINDS, n % KINDS), GETPID, ZL_RED_ZONE);
			_exit(0);
		}
	while (wait(&status) > 0)
		assert_int_equal(status, 0);
	entries = count_entries(&sites, &traps);
	assert_in_range(entries, KINDS, 2 * KINDS);   /* two that come at one moment make two */
	assert_int_equal(sites, PROCESSES * ROUNDS * KINDS);
	assert_int_equal(traps, sites);
}

static void test_refused_lists_nothing_unasked(void **state)
{
	uintptr_t site = lay(SIZE / 32 - 2, 0);   /* no other test's */

	(void)state;
	zl_shared->lists_sites = 0;
	zl_refused_record(site, GETPID, ZL_RED_ZONE);
	zl_refused_trapped(site + AFTER, GETPID);
	expect(0, 0, 0);
	assert_int_equal(zl_shared->tally.refused[ZL_RED_ZONE], 1);
	assert_int_equal(zl_shared->tally.at_refused, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_refused_##name, set_up, tear_down)
		TEST(joins_what_is_the_same),
		TEST(counts_traps),
		TEST(counts_for_the_last_entry),
		TEST(is_full),
		TEST(passes_busy_entries),
		TEST(adds_up_over_processes),
		TEST(lists_nothing_unasked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
