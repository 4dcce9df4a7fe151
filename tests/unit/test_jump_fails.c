/* test_jump_fails.c - what a jump needs of the kernel fails (lazy/jump.c)
 *
 *   barrier          the jump within one word; elsewhere the old bytes, in both directions; no cave
 *   each other call  one at a time, or at random: recorded, and a jump or a guard there; or not, and the old bytes
 *   putting back     the same, and later it works
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/inject.h"
#include "subject.h"
#include "lazy/codefd.h"
#include "lazy/poke.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static void test_jump_fails_leaving_no_guard(void **state)
{
	struct subject s;

	(void)state;
	atomic_store(&zl_is_threaded, true);
	subject_lay_mov(&s, 4096 - 2);
	assert_true(zl_inject_parse("barrier:*"));      /* after the guard, which is taken back */
	assert_int_equal(subject_rewrite(&s), ZL_NO_BARRIER);
	assert_false(subject_is_recorded(&s));
	subject_expect_old(&s);
	assert_true(zl_inject_parse("barrier:1000000"));
	assert_int_equal(subject_rewrite(&s), ZL_OK);
	assert_true(zl_inject_parse("barrier:*"));
	assert_false(zl_jump_undo(s.after));
	assert_true(subject_is_recorded(&s) && zl_jump_is_there(s.after));
	subject_expect_jump(&s);
	assert_true(zl_inject_parse("barrier:1000000"));
	subject_undo(&s);
	subject_expect_old(&s);
	subject_end(&s);
	atomic_store(&zl_is_threaded, false);
}

static void test_jump_fails_without_barrier(void **state)
{
	struct subject s;

	(void)state;
	atomic_store(&zl_is_threaded, true);
	assert_true(zl_inject_parse("barrier:*"));
	subject_lay_mov(&s, 1024);                              /* in one word */
	assert_int_equal(subject_rewrite(&s), ZL_OK);
	subject_expect_jump(&s);
	subject_end(&s);
	subject_lay_cave(&s, 1024, 20);                         /* nobody says when it can be seen by all */
	assert_int_equal(subject_rewrite(&s), -EAGAIN);
	assert_false(subject_is_recorded(&s));
	assert_int_equal(s.code[1024], ZL_OLD_FIRST);
	assert_int_equal(s.code[1025], ZL_OLD_SECOND);
	subject_end(&s);
	assert_true(zl_inject_parse("barrier:1000000"));
	atomic_store(&zl_is_threaded, false);
}

/* Whatever failed: recorded means a jump or a guard, not recorded the old bytes; and then it can be put back. */
static void expect_consistent(struct subject *s, long result)
{
	assert_int_equal(subject_is_recorded(s), result == ZL_OK);
	assert_true(zl_inject_parse("all:1000000"));
	if (result == ZL_OK) {
		assert_true(zl_jump_is_there(s->after));
		subject_undo(s);
	}
	assert_memory_equal((void *)s->start, s->was + (s->start - (uintptr_t)s->code), s->after - s->start);
	assert_memory_equal(s->code, s->was, s->start - (uintptr_t)s->code);
	subject_end(s);
}

static void fail_apply(const char *fault, bool with_cave)
{
	struct subject s;

	if (with_cave)
		subject_lay_cave(&s, 4096 - 1, 20);
	else
		subject_lay_mov(&s, 4096 - 3);
	assert_true(zl_inject_parse(fault));
	expect_consistent(&s, subject_rewrite(&s));
}

/* A put-back that fails leaves a record, and a jump or a guard. */
static void fail_undo(const char *fault, bool with_cave)
{
	struct subject s;
	bool is_undone;

	if (with_cave)
		subject_lay_cave(&s, 4096 - 1, 20);
	else
		subject_lay_mov(&s, 4096 - 3);
	assert_int_equal(subject_rewrite(&s), ZL_OK);
	assert_true(zl_inject_parse(fault));
	is_undone = zl_jump_undo(s.after);
	if (is_undone)
		zl_site_retract(s.leaf, s.after);
	expect_consistent(&s, is_undone ? -1 : ZL_OK);
}

static void test_jump_fails_one_at_a_time(void **state)
{
	static const char *const names[] = { "write", "barrier", "protect", "map", "read" };
	char fault[64];

	(void)state;
	for (int threaded = 0; threaded < 2; threaded++) {
		atomic_store(&zl_is_threaded, threaded);
		for (int has_descriptor = 0; has_descriptor < 2; has_descriptor++) {
			zl_codefd_open();
			if (!has_descriptor)
				close(zl_codefd_number());
			for (size_t i = 0; i < ZL_ARRAY_SIZE(names) * 16; i++) {
				snprintf(fault, sizeof(fault), "%s:%zu", names[i / 16], i % 16 + 1);
				fail_apply(fault, i % 2);
				fail_apply(fault, !(i % 2));
				fail_undo(fault, i % 2);
				fail_undo(fault, !(i % 2));
			}
		}
	}
	atomic_store(&zl_is_threaded, false);
	zl_codefd_open();
}

static void test_jump_fails_at_random(void **state)
{
	char fault[64];

	(void)state;
	for (unsigned seed = 0; seed < 2000; seed++) {
		atomic_store(&zl_is_threaded, seed % 4 != 0);
		snprintf(fault, sizeof(fault), "all:random=%u/%u", seed, 2 + seed % 5);
		fail_apply(fault, seed / 8 % 2);
		fail_undo(fault, seed / 8 % 2);
	}
	atomic_store(&zl_is_threaded, false);
}

static int start(void **state)
{
	(void)state;
	zl_codefd_open();
	zl_poke_start();
	return zl_codefd_get() < 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jump_fails_leaving_no_guard),
		cmocka_unit_test(test_jump_fails_without_barrier),
		cmocka_unit_test(test_jump_fails_one_at_a_time),
		cmocka_unit_test(test_jump_fails_at_random),
	};
	return cmocka_run_group_tests(tests, start, NULL);
}
