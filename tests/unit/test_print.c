/* test_print.c - bounded printing (base/print.c)
 *
 * decimal and hexadecimal numbers at their ends; known and unknown errors; a line that is too long is cut, and keeps
 * its newline and its neighbours in memory; a notice goes to the log, or nowhere when quiet, or to stderr when the
 * log can't be written; an error goes to stderr and to the log; one line is one write, without control characters; a
 * hook's line ignores quiet; debug lines by level.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/print.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char log_path[] = "/tmp/zlazy-print-XXXXXX";

static const char *text_of(struct zl_line *line)
{
	line->text[line->used] = '\0';
	return line->text;
}

static void expect_decimal(long value, const char *expected)
{
	struct zl_line line = { 0 };
	zl_put_decimal(&line, value);
	assert_string_equal(text_of(&line), expected);
}

static void test_print_decimal(void **state)
{
	(void)state;
	expect_decimal(0, "0");
	expect_decimal(10, "10");
	expect_decimal(-1, "-1");
	expect_decimal(LONG_MAX, "9223372036854775807");
	expect_decimal(LONG_MIN, "-9223372036854775808");
}

static void test_print_hex(void **state)
{
	struct zl_line line = { 0 };

	(void)state;
	zl_put_hex(&line, 0);
	zl_put(&line, " ");
	zl_put_hex(&line, 0xdeadbeef);
	zl_put(&line, " ");
	zl_put_hex(&line, ULONG_MAX);
	assert_string_equal(text_of(&line), "0x0 0xdeadbeef 0xffffffffffffffff");
}

static void test_print_errors(void **state)
{
	struct zl_line line = { 0 };

	(void)state;
	zl_put_error(&line, -EPERM);
	zl_put(&line, ", ");
	zl_put_error(&line, -ENOMEM);
	zl_put(&line, ", ");
	zl_put_error(&line, -4095);
	assert_string_equal(text_of(&line), "EPERM (not permitted), ENOMEM (out of memory), error 4095");
}

static void test_print_is_bounded(void **state)
{
	struct { struct zl_line line; char behind[64]; } place;
	const size_t room = sizeof(place.line.text) - 1;

	(void)state;
	memset(&place, 0, sizeof(place));
	memset(place.behind, 'x', sizeof(place.behind));
	for (size_t i = 0; i < 200; i++) {
		zl_put(&place.line, "0123456789");
		zl_put_decimal(&place.line, LONG_MIN);
		zl_put_hex(&place.line, ULONG_MAX);
		assert_true(place.line.used <= room);
	}
	assert_int_equal(place.line.used, room);
	assert_memory_equal(place.line.text, "0123456789-9223", 15);
	for (size_t i = 0; i < sizeof(place.behind); i++)
		assert_int_equal(place.behind[i], 'x');
}

/* What the log holds; empties it. */
static const char *take_log(void)
{
	static char text[4096];
	int fd = open(log_path, O_RDWR);
	ssize_t size = read(fd, text, sizeof(text) - 1);
	assert_int_equal(ftruncate(fd, 0), 0);
	close(fd);
	text[size > 0 ? size : 0] = '\0';
	return text;
}

static void test_print_notice_goes_to_the_log(void **state)
{
	(void)state;
	zl_say(zl_notice, "one", " and ", "two");
	zl_say(zl_notice, "three");
	assert_string_equal(take_log(), "zlazy: one and two\nzlazy: three\n");
}

static void test_print_quiet_drops_notices(void **state)
{
	(void)state;
	zl_print_to.is_quiet = true;
	zl_say(zl_notice, "unheard");
	assert_string_equal(take_log(), "");
}

/* The error goes to a pipe in the place of stderr, too: one read takes what one write gave. */
static void test_print_error_goes_to_both(void **state)
{
	char text[2000];
	int fds[2], saved = dup(2);
	ssize_t size;

	(void)state;
	assert_int_equal(pipe2(fds, O_DIRECT), 0);   /* packets */
	dup2(fds[1], 2);
	zl_print_to.is_quiet = true;
	zl_say(zl_complain, "wrong: ", "why");
	dup2(saved, 2);
	close(saved);
	size = read(fds[0], text, sizeof(text));
	assert_int_equal(size, strlen("zlazy: wrong: why\n"));
	assert_memory_equal(text, "zlazy: wrong: why\n", (size_t)size);
	assert_string_equal(take_log(), "zlazy: wrong: why\n");
	close(fds[0]);
	close(fds[1]);
}

/* What stderr gets while `say` runs. */
static const char *stderr_of(void (*say)(void))
{
	static char text[2000];
	int fds[2], saved = dup(2);
	ssize_t size;

	assert_int_equal(pipe2(fds, O_DIRECT | O_NONBLOCK), 0);
	dup2(fds[1], 2);
	say();
	dup2(saved, 2);
	close(saved);
	size = read(fds[0], text, sizeof(text) - 1);
	text[size > 0 ? size : 0] = '\0';
	close(fds[0]);
	close(fds[1]);
	return text;
}

static void say_something(void)
{
	zl_say(zl_notice, "something");
}

static void test_print_falls_back_to_stderr(void **state)
{
	(void)state;
	assert_string_equal(stderr_of(say_something), "");
	assert_string_equal(take_log(), "zlazy: something\n");
	for (size_t i = 0; i < 3; i++) {
		zl_print_to.log_path = (const char *[]){ "/missing/log", "/dev/full", "/tmp" }[i];
		assert_string_equal(stderr_of(say_something), "zlazy: something\n");
	}
}

static void test_print_checks_the_log(void **state)
{
	(void)state;
	assert_int_equal(zl_print_check_log(), 0);
	zl_print_to.log_path = "/missing/log";
	assert_int_equal(zl_print_check_log(), -ENOENT);
	zl_print_to.log_path = "/tmp";
	assert_int_equal(zl_print_check_log(), -EISDIR);
}

static void test_print_control_characters(void **state)
{
	(void)state;
	zl_say(zl_notice, "a\nb\tc\033d\177e\xc3\xa9");
	assert_string_equal(take_log(), "zlazy: a?b?c?d?e\xc3\xa9\n");
}

static void test_print_hook_line_ignores_quiet(void **state)
{
	(void)state;
	zl_print_to.is_quiet = true;
	zl_say(zl_hook_line, "a hook");
	assert_true(zl_print_to.is_quiet);
	assert_string_equal(take_log(), "zlazy: a hook\n");
}

static void test_print_debug_levels(void **state)
{
	struct zl_line line = { 0 };
	char expected[100];

	(void)state;
	assert_false(zl_begin_debug(&line, 1));
	zl_print_to.debug = 2;
	assert_false(zl_begin_debug(&line, 3));
	assert_int_equal(line.used, 0);
	assert_true(zl_begin_debug(&line, 2));
	snprintf(expected, sizeof(expected), "zlazy: debug: %d: ", getpid());
	assert_string_equal(text_of(&line), expected);
	zl_print_to.is_quiet = true;
	assert_false(zl_begin_debug(&line, 1));
}

static void test_print_answers(void **state)
{
	struct zl_line line = { 0 };

	(void)state;
	zl_put_answer(&line, -1);
	zl_put(&line, " ");
	zl_put_answer(&line, 7);
	zl_put(&line, " ");
	zl_put_answer(&line, -4095);
	assert_string_equal(text_of(&line), "-1 (EPERM) 7 -4095");
}

static void test_print_long_line_keeps_its_newline(void **state)
{
	char much[3000];
	const char *text;

	(void)state;
	memset(much, 'm', sizeof(much));
	much[sizeof(much) - 1] = '\0';
	zl_say(zl_notice, much, "unseen");
	text = take_log();
	assert_int_equal(strlen(text), sizeof(((struct zl_line *)0)->text));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static int begin(void **state)
{
	(void)state;
	zl_print_to = (struct zl_print_to){ .log_path = log_path };
	return 0;
}

static int make_log(void **state)
{
	int fd = mkstemp(log_path);
	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_log(void **state)
{
	(void)state;
	return unlink(log_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_print_decimal),
		cmocka_unit_test(test_print_hex),
		cmocka_unit_test(test_print_errors),
		cmocka_unit_test(test_print_is_bounded),
		cmocka_unit_test_setup(test_print_notice_goes_to_the_log, begin),
		cmocka_unit_test_setup(test_print_quiet_drops_notices, begin),
		cmocka_unit_test_setup(test_print_error_goes_to_both, begin),
		cmocka_unit_test_setup(test_print_long_line_keeps_its_newline, begin),
		cmocka_unit_test_setup(test_print_falls_back_to_stderr, begin),
		cmocka_unit_test_setup(test_print_checks_the_log, begin),
		cmocka_unit_test_setup(test_print_control_characters, begin),
		cmocka_unit_test_setup(test_print_hook_line_ignores_quiet, begin),
		cmocka_unit_test_setup(test_print_debug_levels, begin),
		cmocka_unit_test(test_print_answers),
	};
	return cmocka_run_group_tests(tests, make_log, remove_log);
}
