/* test_caves_shared.c - sites that reach the same padding (lazy/tactic.c, lazy/stubs.c)
 *
 * Three functions of five bytes each before a gap of 15 bytes: each gets a cave, none two bytes of the same one, and
 * in whatever order they trap; a gap of 9 bytes has room for one cave only, and the other sites are refused.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "agent/zydis.h"
#include "base/shared.h"
#include "base/sites.h"
#include "lazy/bytes.h"
#include "lazy/codefd.h"
#include "lazy/decoder.h"
#include "lazy/function.h"
#include "lazy/tactic.h"
#include "lazy/trap.h"
#include <dlfcn.h>
#include <string.h>

bool zl_copy_hides_zero;       /* trampoline/zero.c has it */
const char zl_entry_stub[1];   /* trampoline/entry.S has it */
static struct zl_shared own;
struct zl_shared *zl_shared = &own;

enum { FUNCTION = 5, FUNCTIONS = 3, SITE = 2, NOBODY = 500 };

#define SITES "movl %edi,%eax; syscall; ret; movl %edi,%eax; syscall; ret; movl %edi,%eax; syscall; ret; "
/* Nothing else within reach is padding. */
#define GROUP(name, gap) asm(".text; .p2align 5; .skip 192-15-" #gap ",0xc3; .globl " #name "; " #name ": " \
	".cfi_startproc; " SITES ".cfi_endproc; .skip " #gap ",0xcc; .cfi_startproc; nop; ret; .cfi_endproc; " \
	".skip 192,0xc3"); extern unsigned char name[]
GROUP(wide_ahead, 15);
GROUP(wide_back, 15);
GROUP(narrow, 9);

static uintptr_t after(const unsigned char *group, int i)
{
	return (uintptr_t)group + FUNCTION * (uintptr_t)i + SITE + ZL_SITE_SIZE;
}

static bool traps(const unsigned char *group, int i)
{
	zl_site_trapped(after(group, i), NOBODY);
	return zl_site_state(after(group, i)) != ZL_SITE_JUMPED;
}

static void expect_caves(const unsigned char *group, int count)
{
	uintptr_t gap = (uintptr_t)group + FUNCTION * FUNCTIONS;
	unsigned char used[16] = { 0 };
	int found = 0;

	for (int i = 0; i < FUNCTIONS; i++) {
		const struct zl_stub *stub = zl_stub_find(after(group, i));
		const uint8_t *site = (uint8_t *)after(group, i) - ZL_SITE_SIZE;

		assert_int_equal(site[0], stub ? ZL_SHORT : ZL_OLD_FIRST);
		if (!stub)
			continue;
		found++;
		assert_true(stub->cave >= gap);
		assert_int_equal(after(group, i) + site[1], stub->cave);
		assert_int_equal(*(uint8_t *)stub->cave, ZL_JUMP);
		for (unsigned at = 0; at < ZL_JUMP_SIZE; at++)
			assert_int_equal(used[stub->cave - gap + at]++, 0);
	}
	assert_int_equal(found, count);
}

static void test_caves_shared_by_all_three(void **state)
{
	(void)state;
	for (int i = 0; i < FUNCTIONS; i++) {
		assert_false(traps(wide_ahead, i));
		assert_false(traps(wide_back, FUNCTIONS - 1 - i));
	}
	expect_caves(wide_ahead, FUNCTIONS);
	expect_caves(wide_back, FUNCTIONS);
}

static void test_caves_shared_no_further_than_there_is_room(void **state)
{
	(void)state;
	assert_false(traps(narrow, 0));
	for (int i = 1; i < FUNCTIONS; i++) {
		assert_true(traps(narrow, i));
		assert_true(zl_site_bit(zl_leaf_find(after(narrow, i))->refused, after(narrow, i)));
	}
	expect_caves(narrow, 1);
}

static void *find_symbol(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

static int start(void **state)
{
	(void)state;
	zl_codefd_open();
	zl_find_object = (int (*)(void *, struct zl_object *))dlsym(RTLD_DEFAULT, "_dl_find_object");
	zl_may_rewrite = zl_tactics.may_jump = true;
	return zl_find_object ? zl_zydis_bind(find_symbol) : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_caves_shared_by_all_three),
		cmocka_unit_test(test_caves_shared_no_further_than_there_is_room),
	};
	return cmocka_run_group_tests(tests, start, NULL);
}
