/* test_slots - where the blocks of threads come from (threads/slots.c)
 *
 * a thousand slots: apart from each other, aligned, open where they are to be, in few ranges; what is given back is
 * taken again, in few ranges still; where memory for many can't be had there is one.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/ranges.h"
#include "base/raw.h"
#include "threads/control.h"
#include "threads/slots.h"
#include <stdio.h>
#include <string.h>

enum { SLOTS = 1000, FEW = 24 };

uint8_t zl_filter[ZL_FILTER_SIZE], zl_filter_nested[ZL_FILTER_SIZE], zl_filter_foreign[ZL_FILTER_SIZE];

void zl_control_set_thread(struct zl_block *block, int32_t thread)
{
	(void)block, (void)thread;
}

static struct zl_block *blocks[SLOTS];

static void add_one(uintptr_t start, uintptr_t end, void *count)
{
	(void)start, (void)end;
	++*(int *)count;
}

static int count_ranges(void)
{
	int count = 0;

	zl_ranges_each(add_one, &count);
	return count;
}

static void take_all(void)
{
	struct zl_range found;

	for (int i = 0; i < SLOTS; i++) {
		uintptr_t slot;
		blocks[i] = zl_slot_take();
		assert_non_null(blocks[i]);
		assert_ptr_equal(blocks[i]->self, blocks[i]);   /* no other has it: */
		blocks[i]->self = NULL;
		slot = zl_slot_of(blocks[i]);
		assert_int_equal(slot % SLOT_SIZE, 0);
		assert_true(zl_ranges_find(slot, slot + SLOT_SIZE, ZL_RANGE_KINDS, &found));
		assert_true(found.start == slot && found.end == slot + SLOT_SIZE);
		memset((void *)(slot + SLOT_NESTED), i, ZL_PAGE);
		memset((void *)(slot + SLOT_SIGNAL), i, ZL_PAGE);
	}
	for (int i = 0; i < SLOTS; i++) {
		assert_null(blocks[i]->self);
		assert_int_equal(*(uint8_t *)(zl_slot_of(blocks[i]) + SLOT_SIGNAL), (uint8_t)i);
	}
}

static void test_slots_lie_in_few_ranges(void **state)
{
	(void)state;
	take_all();
	assert_true(count_ranges() <= FEW);
	for (int i = 0; i < SLOTS; i++)
		zl_slot_give(blocks[i]);
	take_all();
	assert_true(count_ranges() <= FEW);
}

static unsigned long kilobytes_mapped(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu", &pages), 1);
	fclose(file);
	return pages * 4;
}

static void set_limit(uint64_t bytes)
{
	const uint64_t limit[2] = { bytes, ~0UL };   /* <sys/resource.h> and the kernel's headers don't go together */
	const long address_space = 9 /* RLIMIT_AS */;

	assert_int_equal(zl_raw(__NR_prlimit64, 0, address_space, limit, 0), 0);
}

/* Room for three, and for the piece that a slot is cut from: not for half as many again as there are. */
static void test_slots_come_singly_where_room_is_short(void **state)
{
	int taken = 0;

	(void)state;
	set_limit(kilobytes_mapped() * 1024);
	while (zl_slot_take())
		;   /* the rest of the last batch */
	set_limit(kilobytes_mapped() * 1024 + 4 * SLOT_SIZE);
	while (zl_slot_take())
		taken++;
	set_limit(~0UL);
	assert_int_equal(taken, 3);
	assert_non_null(zl_slot_take());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots_lie_in_few_ranges),
		cmocka_unit_test(test_slots_come_singly_where_room_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
