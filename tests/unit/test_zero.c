/* test_zero.c - page zero and the sled (trampoline/zero.c)
 *
 * Leaves nothing behind when the page is in use or readable; jump sled, short sled and nop sled: every number of
 * theirs arrives at the entry, the page can't be written, neither mapping is writable and executable.
 *
 * Needs a page zero that may be mapped; otherwise all of it is skipped (77). zl_entry_call is a function of ours.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/types.h"
#include "trampoline/zero.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { NUMBERS = 4081 };   /* the landing points behind may fault, and are for lazy/fault.c */
enum { IN_JUMP = 513, BEHIND_JUMP = 517 };   /* and so may those inside of the nop sled's first jump */
static char maps[1 << 16];

/* In the place of trampoline/entry.S: counts, and keeps the number. */
unsigned long zl_test_entered, zl_test_number;
__asm__(".text\n.globl zl_entry_call\n.hidden zl_entry_call\nzl_entry_call:\n"
	"\tincq zl_test_entered(%rip)\n\tmovq %rax, zl_test_number(%rip)\n\tret\n");

static void call_number(unsigned long number)
{
	__asm__ volatile("subq $128, %%rsp\n\tcall *%%rax\n\taddq $128, %%rsp" : : "a"(number) : "memory", "cc");
}

static void read_maps(void)
{
	int fd = open("/proc/self/maps", O_RDONLY);
	size_t used = 0;
	ssize_t n;
	while ((n = read(fd, maps + used, sizeof(maps) - 1 - used)) > 0)
		used += (size_t)n;
	close(fd);
	maps[used] = '\0';
}

/* Nothing of ours lies below 2^32: page zero, and each place of the second mapping, would be the first line. */

static void expect_nothing_left(void)
{
	read_maps();
	assert_true(strtoul(maps, NULL, 16) >> 32);
	assert_false(zl_zero_is_mapped());
	assert_false(zl_zero_contains(0));
	assert_false(zl_zero_contains(0x65656000));
}

static void test_zero_in_use(void **state)
{
	void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	long error;

	(void)state;
	assert_null(page);
	assert_int_equal(zl_zero_start(ZL_SLED_JUMP, true, &error), ZL_ZERO_IN_USE);
	assert_int_equal(error, -EEXIST);
	munmap(NULL, 4096);
	expect_nothing_left();
}

static void test_zero_readable_is_declined(void **state)
{
	long error;
	enum zl_zero_result result = zl_zero_start(ZL_SLED_JUMP, false, &error);

	(void)state;
	if (result == ZL_ZERO_READY) {
		munmap(NULL, 4096);
		skip();   /* there is a protection key: the page can't be read */
	}
	assert_int_equal(result, ZL_ZERO_READABLE);
	expect_nothing_left();
}

/* Protection in the maps of the mapping that begins at this address. */
static const char *protection_of(const char *start)
{
	static char found[5];
	const char *line;

	read_maps();
	line = strstr(maps, start);
	if (!line)
		return "none";
	memcpy(found, strchr(line, ' ') + 1, 4);
	return found;
}

static void expect_sled(enum zl_sled kind)
{
	long error;

	assert_int_equal(zl_zero_start(kind, true, &error), ZL_ZERO_READY);
	assert_true(zl_zero_is_mapped());
	assert_int_equal(zl_zero_sled(), kind);
	assert_true(zl_zero_contains(0) && zl_zero_contains(4095) && !zl_zero_contains(4096));
	assert_string_equal(protection_of("00000000-00001000"), "--xp");
	zl_test_entered = 0;
	for (unsigned long number = 0, called = 0; number < NUMBERS; number++) {
		if (kind == ZL_SLED_NOP && number == IN_JUMP)
			number = BEHIND_JUMP;
		call_number(number);
		assert_int_equal(zl_test_number, number);
		assert_int_equal(zl_test_entered, ++called);
	}
	assert_null(strstr(maps, "rwxp"));
}

static void test_zero_jump_sled(void **state)
{
	(void)state;
	expect_sled(ZL_SLED_JUMP);
	assert_true(zl_zero_contains(0x65656000) || zl_zero_contains(0x64646000) || zl_zero_contains(0x3e3e3000));
	munmap(NULL, 4096);
}

static void test_zero_short_sled(void **state)
{
	(void)state;
	expect_sled(ZL_SLED_SHORT);
	munmap(NULL, 4096);
}

static void test_zero_nop_sled(void **state)
{
	(void)state;
	expect_sled(ZL_SLED_NOP);
	munmap(NULL, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zero_in_use),
		cmocka_unit_test(test_zero_readable_is_declined),
		cmocka_unit_test(test_zero_jump_sled),
		cmocka_unit_test(test_zero_short_sled),
		cmocka_unit_test(test_zero_nop_sled),
	};
#ifdef __SANITIZE_ADDRESS__
	printf("the sanitizer's own memory lies where the sled's does\n");
	return 77;
#endif
	if (mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != NULL) {
		printf("page zero can't be mapped here: %s\n", strerror(errno));
		return 77;
	}
	munmap(NULL, 4096);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
