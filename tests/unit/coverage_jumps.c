/* coverage_jumps.c - zl_straight_mov() and zl_cave_find() on real code, beside what objdump lists
 *
 * libc, ld.so and musl's libc, the first two also as if they had no unwind table. Skipped where one is not there.
 * mov: all bytes that look like a mov of a number count as one before a site, with that number. Those that are accepted
 *   are movs by objdump, too, and nearly all of objdump's are accepted.
 * cave: sites, and every third instruction as if it were one. By objdump each cave is part of nops and int3 behind a ret
 *   or jmp, into which nothing leads; it is in reach, and no site gets another one's. Enough sites have one.
 * No question decodes more than ZL_MOST_DECODED instructions.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "agent/zydis.h"
#include "lazy/cave.h"
#include "lazy/straight.h"
#include "layout.h"
#include "listing.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_BACK = 16, RESTORER = 15, EVERY = 3 };

struct sweep {
	struct layout layout;
	struct listing listing;
	unsigned asked, found, sites, found_at_sites, wrong;
	uint8_t *claimed;              /* by address */
};

bool zl_copy_hides_zero;   /* trampoline/zero.c has it */
static const struct zl_decoder *zydis;
static unsigned decodings;
static struct sweep sweep;

static int count_decode(const uint8_t *bytes, unsigned available, struct zl_insn *insn)
{
	decodings++;
	return zydis->decode(bytes, available, insn);
}

static struct zl_decoder counting = { .decode = count_decode };

static uintptr_t base(void)
{
	return (uintptr_t)sweep.layout.base;
}

/* The number, and the length, of what looks like a mov before an address; 0 if nothing does. */
static uint64_t number_before(const uint8_t *end, unsigned *length)
{
	int32_t value;

	memcpy(&value, end - sizeof value, sizeof value);
	*length = end[-5] == 0xb8 ? 5 : end[-7] == 0x48 && end[-6] == 0xc7 && end[-5] == 0xc0 ? 7 : 0;
	return *length == 5 ? (uint32_t)value : (uint64_t)(int64_t)value;
}

static void ask_mov(uint64_t end)
{
	static struct zl_reading reading;
	static struct zl_code code;
	unsigned length;
	uint64_t number = number_before(sweep.layout.base + end, &length), begin = end - length;
	bool is_mov;

	if (length == 0 || number == RESTORER || !zl_code_read(base() + end, &code))
		return;
	is_mov = sweep.listing.what[begin] == LISTED_MOV && sweep.listing.length[begin] == length;
	sweep.asked += is_mov;
	decodings = 0;
	zl_reading_begin(&reading, &code);
	if (zl_straight_mov(&reading, number) != 0) {
		sweep.found++;
		sweep.wrong += !is_mov;
		if (!is_mov)
			print_message("%#lx is no mov\n", (unsigned long)begin);
	}
	assert_true(decodings <= ZL_MOST_DECODED);
}

static void ask_movs(void *data, uint64_t address, const struct zl_insn *insn)
{
	(void)data;
	for (uint64_t end = address; end < address + (insn->length ? insn->length : 1); end++)
		if (end >= sweep.layout.low + LOOK_BACK)
			ask_mov(end);
}

static bool is_claimed(uintptr_t start, uintptr_t end)
{
	for (; start < end; start++)
		if (sweep.claimed[start - base()])
			return true;
	return false;
}

static void ask_cave(void *data, uint64_t address, const struct zl_insn *insn)
{
	static struct zl_cave_search search;
	enum listed what = sweep.listing.what[address];
	bool is_site = what == LISTED_SYSCALL;
	int64_t distance;
	uintptr_t cave;

	(void)data;
	if (insn->length == 0 || what == LISTED_NOTHING || what == LISTED_PADDING || (!is_site && address % EVERY != 0) ||
	    !zl_cave_read(base() + address, &search))
		return;
	search.is_taken = is_site ? is_claimed : NULL;
	decodings = 0;
	cave = zl_cave_find(&search);
	assert_true(decodings <= ZL_MOST_DECODED);
	sweep.asked++;
	sweep.sites += is_site;
	if (cave == 0)
		return;
	sweep.found++;
	sweep.found_at_sites += is_site;
	cave -= base();
	if (is_site)
		memset(sweep.claimed + cave, 1, ZL_CAVE_SIZE);
	distance = (int64_t)(cave - address) - 2;
	if (listing_is_cave(&sweep.listing, cave, ZL_CAVE_SIZE) && distance >= INT8_MIN && distance <= INT8_MAX)
		return;
	sweep.wrong++;
	print_message("%#lx for %#lx is no cave\n", (unsigned long)cave, (unsigned long)address);
}

static void begin_sweep(const char *path, bool has_table)
{
	sweep = (struct sweep){ .layout.path = path };
	if (!layout_read(&sweep.layout) || !listing_read(&sweep.listing, path, sweep.layout.high)) {
		print_message("%s: not there, or no objdump\n", path);
		skip();
	}
	sweep.claimed = calloc(1, sweep.layout.high);
	layout_has_no_table = !has_table;
}

static void end_sweep(void)
{
	assert_int_equal(sweep.wrong, 0);
	listing_free(&sweep.listing);
	free(sweep.claimed);
	free(sweep.layout.starts);
}

static void sweep_movs(const char *path, bool has_table, unsigned least_percent)
{
	begin_sweep(path, has_table);
	layout_walk(&sweep.layout, zydis, ask_movs, NULL);
	print_message("%s, %s table: %u of %u movs\n", path, has_table ? "with its" : "without", sweep.found, sweep.asked);
	assert_true(sweep.found * 100 >= sweep.asked * least_percent);
	end_sweep();
}

static void sweep_caves(const char *path, bool has_table, unsigned least_percent)
{
	begin_sweep(path, has_table);
	layout_walk(&sweep.layout, zydis, ask_cave, NULL);
	print_message("%s, %s table: caves for %u of %u sites, %u of %u instructions\n", path,
	              has_table ? "with its" : "without", sweep.found_at_sites, sweep.sites, sweep.found, sweep.asked);
	assert_true(sweep.found_at_sites * 100 >= sweep.sites * least_percent);
	end_sweep();
}

#define LIBC "/lib/x86_64-linux-gnu/libc.so.6"
#define LOADER "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
#define MUSL "/lib/ld-musl-x86_64.so.1"

#define REAL(name, function, ...) \
	static void test_##name(void **state) \
	{ \
		(void)state; \
		function(__VA_ARGS__); \
	}

REAL(movs_of_libc, sweep_movs, LIBC, true, 95)
REAL(movs_of_libc_without_table, sweep_movs, LIBC, false, 95)
REAL(movs_of_loader, sweep_movs, LOADER, true, 95)
REAL(movs_of_loader_without_table, sweep_movs, LOADER, false, 90)
REAL(movs_of_musl, sweep_movs, MUSL, true, 95)
REAL(caves_of_libc, sweep_caves, LIBC, true, 75)
REAL(caves_of_libc_without_table, sweep_caves, LIBC, false, 60)
REAL(caves_of_loader, sweep_caves, LOADER, true, 70)
REAL(caves_of_loader_without_table, sweep_caves, LOADER, false, 30)
REAL(caves_of_musl, sweep_caves, MUSL, true, 30)

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
		cmocka_unit_test(test_movs_of_libc),
		cmocka_unit_test(test_movs_of_libc_without_table),
		cmocka_unit_test(test_movs_of_loader),
		cmocka_unit_test(test_movs_of_loader_without_table),
		cmocka_unit_test(test_movs_of_musl),
		cmocka_unit_test(test_caves_of_libc),
		cmocka_unit_test(test_caves_of_libc_without_table),
		cmocka_unit_test(test_caves_of_loader),
		cmocka_unit_test(test_caves_of_loader_without_table),
		cmocka_unit_test(test_caves_of_musl),
	};

	return cmocka_run_group_tests(tests, bind_decoder, NULL);
}
