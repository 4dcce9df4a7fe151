/* test_tactic.c - which tactic a site gets, of those that its code allows (zl_tactic_take() in lazy/tactic.c)
 *
 *   in a file, or of a module   the jump, and the site is recorded as one that jumps
 *   in memory of neither        no jump; by ZLAZY_JIT=patch that of a mov, and never a cave
 *   writable by the program     no jump
 *   a call                      goes first where it is preferred; else last, wherever there is no jump
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/shared.h"
#include "lazy/codefd.h"
#include "lazy/patch.h"
#include "lazy/tactic.h"
#include <sys/mman.h>

bool zl_copy_hides_zero;       /* trampoline/zero.c has it */
const char zl_entry_stub[1];   /* trampoline/entry.S has it */
static struct zl_shared own;
struct zl_shared *zl_shared = &own;

enum kind { NEITHER, MOV, CAVE };
static uintptr_t in_file, in_none;

static const struct zl_tactic *take(enum kind kind, uintptr_t site, struct zl_choice choice, enum zl_site_state *state)
{
	choice.jump.length = kind == MOV ? 5 : 0;
	choice.jump.cave = kind == CAVE ? site + 20 : 0;
	return zl_tactic_take(&choice, site, state);
}

static void expect(const struct zl_tactic *expected, enum kind kind, uintptr_t site, struct zl_choice choice)
{
	enum zl_site_state state = ZL_SITE_PATCHED;
	bool is_jump = expected && expected != &zl_tactic[ZL_TACTIC_CALL];

	assert_ptr_equal(take(kind, site, choice, &state), expected);
	assert_int_equal(state, is_jump ? ZL_SITE_JUMPED : ZL_SITE_PATCHED);
	state = ZL_SITE_OPEN;
	assert_ptr_equal(take(kind, site, choice, &state), choice.may_call ? &zl_tactic[ZL_TACTIC_CALL] : NULL);
	assert_int_equal(state, ZL_SITE_OPEN);
}

static const struct zl_choice of_none, of_module = { .is_of_module = true }, callable = { .may_call = true },
			      preferred = { .may_call = true, .prefers_call = true, .is_of_module = true };

static void test_tactic_jumps_in_files_and_modules(void **state)
{
	(void)state;
	expect(&zl_tactic[ZL_TACTIC_MOV], MOV, in_file, of_none);
	expect(&zl_tactic[ZL_TACTIC_CAVE], CAVE, in_file, of_none);
	expect(&zl_tactic[ZL_TACTIC_MOV], MOV, in_none, of_module);
	expect(&zl_tactic[ZL_TACTIC_CAVE], CAVE, in_none, of_module);
	expect(&zl_tactic[ZL_TACTIC_MOV], MOV, in_file, callable);
	expect(NULL, NEITHER, in_file, of_none);
}

static void test_tactic_generated_code(void **state)
{
	(void)state;
	expect(NULL, MOV, in_none, of_none);
	expect(NULL, CAVE, in_none, of_none);
	zl_jit = ZL_JIT_PATCH;
	expect(&zl_tactic[ZL_TACTIC_MOV], MOV, in_none, of_none);
	expect(NULL, CAVE, in_none, of_none);
	zl_jit = ZL_JIT_AUTO;
}

static void test_tactic_calls(void **state)
{
	(void)state;
	for (enum kind kind = NEITHER; kind <= CAVE; kind++) {
		expect(&zl_tactic[ZL_TACTIC_CALL], kind, in_file, preferred);
		expect(&zl_tactic[ZL_TACTIC_CALL], kind, in_none, callable);
	}
	expect(&zl_tactic[ZL_TACTIC_CALL], NEITHER, in_file, callable);
}

static int start(void **state)
{
	(void)state;
	zl_codefd_open();
	in_file = (uintptr_t)start + 64;
	in_none = (uintptr_t)mmap(NULL, ZL_PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + 64;
	return in_none == (uintptr_t)MAP_FAILED + 64;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tactic_jumps_in_files_and_modules),
		cmocka_unit_test(test_tactic_generated_code),
		cmocka_unit_test(test_tactic_calls),
	};
	return cmocka_run_group_tests(tests, start, NULL);
}
