/* test_slots - where the blocks of threads come from (threads/slots.c)
 *
 * a thousand slots: apart from each other, aligned, open where they are to be, in few ranges; what is given back is
 * taken again, in few ranges still; where memory for many can't be had there is one. Between the stacks nothing can be
 * read. Thousands are few mappings where the kernel has guards that are none, and leave room for others where it
 * hasn't.
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
#include <linux/errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>

enum { SLOTS = 1000, FEW = 24, CROWD = 6000, MOST_MAPPINGS = 30000 };

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

/* Does the kernel find nothing there? It is asked by a path that begins there. */
static bool is_guard(uintptr_t page)
{
	return zl_raw(__NR_access, page, 0) == -EFAULT;
}

static void expect_guards(uintptr_t slot)
{
	static const unsigned closed[] = { 0, SLOT_NESTED_TOP, SLOT_HOOK_TOP },
			      open[] = { SLOT_NESTED, SLOT_NESTED_TOP - ZL_PAGE, SLOT_HOOK, SLOT_HOOK_TOP - ZL_PAGE,
					 SLOT_SIGNAL, SLOT_SIZE - ZL_PAGE };

	for (size_t i = 0; i < ZL_ARRAY_SIZE(closed); i++)
		assert_true(is_guard(slot + closed[i]));
	for (size_t i = 0; i < ZL_ARRAY_SIZE(open); i++)
		assert_false(is_guard(slot + open[i]));
}

static unsigned mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	unsigned count = 0;
	int c;

	assert_non_null(file);
	while ((c = getc(file)) != EOF)
		count += c == '\n';
	fclose(file);
	return count;
}

static bool has_kernel_guards(void)
{
	uintptr_t slot = zl_slot_of(zl_slot_take());
	return zl_raw(__NR_madvise, slot, SLOT_GUARD, 102 /* MADV_GUARD_INSTALL */) == 0;
}

static void test_slots_have_guards(void **state)
{
	(void)state;
	for (int i = 0; i < SLOTS; i++) {
		blocks[i] = zl_slot_take();
		assert_non_null(blocks[i]);
		expect_guards(zl_slot_of(blocks[i]));
	}
	if (has_kernel_guards())
		assert_in_range(mappings(), 1, 200);
}

/* As before Linux 6.13. */
static void refuse_guards(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_madvise, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 102, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
	};
	const struct sock_fprog program = { ZL_ARRAY_SIZE(filter), filter };

	assert_int_equal(zl_raw(__NR_prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0), 0);
	assert_int_equal(zl_raw(__NR_prctl, 22 /* PR_SET_SECCOMP */, SECCOMP_MODE_FILTER, &program), 0);
}

static void test_slots_leave_mappings_to_others(void **state)
{
	uintptr_t slot;

	(void)state;
	refuse_guards();
	for (int i = 0; i < CROWD; i++) {
		struct zl_block *block = zl_slot_take();

		assert_non_null(block);
		slot = zl_slot_of(block);
		if (i < SLOTS)
			expect_guards(slot);
		memset((void *)(slot + SLOT_SIGNAL), 1, 1);
	}
	assert_in_range(mappings(), SLOTS, MOST_MAPPINGS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots_lie_in_few_ranges),
		cmocka_unit_test(test_slots_come_singly_where_room_is_short),
		cmocka_unit_test(test_slots_have_guards),
		cmocka_unit_test(test_slots_leave_mappings_to_others),   /* last: its filter stays */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
