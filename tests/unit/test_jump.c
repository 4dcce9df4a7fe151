/* test_jump.c - a jump in the place of a call, and back (lazy/jump.c)
 *
 * Each case lays a call into two pages, rewrites it, and looks at every byte.
 *
 *   mov, of 5 and of 7 bytes   at every offset around words, lines, pages; to the stub, and back; the maps stay the
 *                              same
 *   cave                       before and behind the site, as far as a short jump reaches; and back, padding included
 *   without the descriptor     by mprotect
 *   other bytes by now         at the site, in the cave: nothing is written, nothing recorded
 *   steps                      how many writes and barriers, alone and threaded, in a word, across words and pages
 *   put back                   only where the jump, or the guard, still is
 *   threaded                   a reader sees the old bytes, the guard, the new ones; a cave keeps its jump
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
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { NEAR = 4096 - 100, MOV_RAX_SIZE = 7, FARTHEST_AHEAD = 127, FARTHEST_BACK = -128 };

static void read_maps(char *text, size_t size)
{
	int fd = open("/proc/self/maps", O_RDONLY);
	size_t used = 0;
	ssize_t n;

	while ((n = read(fd, text + used, size - 1 - used)) > 0)
		used += (size_t)n;
	close(fd);
	text[used] = '\0';
}

/* There and back, and there again. */
static void there_and_back(struct subject *s)
{
	static char before[1 << 20], now[1 << 20];

	assert_int_equal(subject_rewrite(s), ZL_OK);   /* maps the stub's pool, perhaps */
	subject_expect_jump(s);
	read_maps(before, sizeof(before));
	subject_undo(s);
	subject_expect_old(s);
	assert_int_equal(subject_rewrite(s), ZL_OK);
	subject_expect_jump(s);
	subject_undo(s);
	subject_expect_old(s);
	read_maps(now, sizeof(now));
	assert_string_equal(now, before);
	subject_end(s);
}

static void all_offsets(void)
{
	struct subject s;

	for (unsigned offset = NEAR; offset <= 4096 + 1; offset++) {
		subject_lay_mov(&s, offset);
		there_and_back(&s);
		subject_lay(&s, offset, "\x48\xc7\xc0\xff\xff\xff\xff", MOV_RAX_SIZE, 0);
		there_and_back(&s);
		subject_lay_cave(&s, offset, 13);
		there_and_back(&s);
		subject_lay_cave(&s, offset, -13);
		there_and_back(&s);
	}
}

static void test_jump_every_offset(void **state)
{
	(void)state;
	all_offsets();
}

static void test_jump_every_offset_without_descriptor(void **state)
{
	(void)state;
	close(zl_codefd_number());
	assert_int_equal(zl_codefd_get(), -1);
	all_offsets();
	zl_codefd_open();
}

static void test_jump_caves_as_far_as_they_may_be(void **state)
{
	static const int caves[] = { FARTHEST_BACK, -ZL_JUMP_SIZE - ZL_SITE_SIZE, 0, 1, FARTHEST_AHEAD };
	struct subject s;

	(void)state;
	for (size_t i = 0; i < ZL_ARRAY_SIZE(caves); i++) {
		subject_lay_cave(&s, 1000, caves[i]);
		there_and_back(&s);
	}
}

static void poke(struct subject *s, uintptr_t at, const char *bytes, size_t size)
{
	assert_int_equal(pwrite(zl_codefd_get(), bytes, size, (off_t)at), size);
	memcpy(s->was + (at - (uintptr_t)s->code), bytes, size);
}

static void test_jump_leaves_other_bytes_alone(void **state)
{
	struct subject s;

	(void)state;
	for (int with_cave = 0; with_cave < 2; with_cave++)
		for (int in_cave = 0; in_cave <= with_cave; in_cave++) {
			if (with_cave)
				subject_lay_cave(&s, 100, 20);
			else
				subject_lay_mov(&s, 100);
			poke(&s, (in_cave ? s.cave + 4 : s.start + 1), "\x11", 1);
			assert_int_equal(subject_rewrite(&s), -EAGAIN);
			assert_false(subject_is_recorded(&s));
			if (with_cave && !in_cave)   /* nobody comes there */
				memcpy(s.was + (s.cave - (uintptr_t)s.code), (void *)s.cave, ZL_JUMP_SIZE);
			subject_expect_old(&s);
			subject_end(&s);
		}
}

static void test_jump_undo_leaves_other_bytes_alone(void **state)
{
	struct subject s;

	(void)state;
	subject_lay_mov(&s, 100);
	assert_int_equal(subject_rewrite(&s), ZL_OK);
	memcpy(s.was, s.code, SIZE);
	poke(&s, s.start + 4, "\x11", 1);
	assert_false(zl_jump_is_there(s.after));
	subject_undo(&s);
	subject_expect_old(&s);
	subject_end(&s);

	subject_lay_cave(&s, 100, 20);
	assert_int_equal(subject_rewrite(&s), ZL_OK);
	poke(&s, s.start, "\x90\x90", 2);
	assert_false(zl_jump_is_there(s.after));
	subject_undo(&s);
	subject_expect_old(&s);   /* the padding as it was */
	subject_end(&s);
}

/* Somebody was interrupted between the steps. */
static void test_jump_undo_of_a_guard(void **state)
{
	struct subject s;

	(void)state;
	for (int rest_is_new = 0; rest_is_new < 2; rest_is_new++) {
		subject_lay_mov(&s, 100);
		assert_int_equal(subject_rewrite(&s), ZL_OK);
		assert_int_equal(pwrite(zl_codefd_get(), "\x06", 1, (off_t)s.start), 1);
		if (!rest_is_new)
			assert_int_equal(pwrite(zl_codefd_get(), s.jump.displaced + 1, 4, (off_t)s.start + 1), 4);
		assert_true(zl_jump_is_there(s.after));
		subject_undo(&s);
		subject_expect_old(&s);
		subject_end(&s);
	}
}

/* What rewriting, and putting back, has asked of the kernel. */
static void expect_steps(struct subject *s, unsigned writes, unsigned barriers, unsigned back, unsigned barriers_back)
{
	static struct zl_own_calls calls;
	struct zl_own_calls before;

	zl_inject_count_in(&calls);
	assert_int_equal(subject_rewrite(s), ZL_OK);   /* makes the stub, too, by one write */
	subject_undo(s);
	if (s->cave)
		assert_int_equal(pwrite(zl_codefd_get(), s->jump.padding, ZL_JUMP_SIZE, (off_t)s->cave), ZL_JUMP_SIZE);
	before = calls;
	assert_int_equal(subject_rewrite(s), ZL_OK);
	assert_int_equal(calls.made[ZL_OWN_WRITE] - before.made[ZL_OWN_WRITE], writes);
	assert_int_equal(calls.made[ZL_OWN_BARRIER] - before.made[ZL_OWN_BARRIER], barriers);
	before = calls;
	subject_undo(s);
	assert_int_equal(calls.made[ZL_OWN_WRITE] - before.made[ZL_OWN_WRITE], back);
	assert_int_equal(calls.made[ZL_OWN_BARRIER] - before.made[ZL_OWN_BARRIER], barriers_back);
	subject_end(s);
}

static void test_jump_steps(void **state)
{
	struct subject s;

	(void)state;
	for (int threaded = 0; threaded < 2; threaded++) {
		atomic_store(&zl_is_threaded, threaded);
		for (unsigned offset = 4096 - 16; offset <= 4096 + 3; offset++) {
			unsigned is_split = offset / ZL_PAGE != (offset + ZL_JUMP_SIZE - 1) / ZL_PAGE;
			unsigned order = threaded && offset % 8 > 8 - ZL_JUMP_SIZE ? 2 : 0;

			subject_lay_mov(&s, offset);
			expect_steps(&s, threaded || is_split ? 3 : 1, order, threaded || is_split ? 3 : 1, order);
			order = threaded && offset % 8 == 7 ? 2 : 0;
			is_split = offset == 4096 - 1;
			subject_lay_cave(&s, offset, 30);
			expect_steps(&s, 1 + (threaded || is_split ? 3 : 1), order + (unsigned)threaded,
				     threaded ? 3 : 1 + (is_split ? 3 : 1), order);
		}
	}
	atomic_store(&zl_is_threaded, false);
}

/* x86 keeps the order of loads, and of stores as another core sees them. */
struct watch {
	const volatile uint8_t *at;
	unsigned size;
	uint8_t old[ZL_JUMP_SIZE];
	atomic_bool stop;
	atomic_uint looks;
	unsigned wrong, seen[256];
};

static void *watch(void *argument)
{
	struct watch *w = argument;

	while (!atomic_load(&w->stop)) {
		uint8_t first = w->at[0], rest[ZL_JUMP_SIZE], is_new = first == ZL_JUMP || first == ZL_SHORT;
		bool is_old = first == w->old[0];

		for (unsigned i = 1; i < w->size; i++)
			rest[i] = w->at[i];
		if (w->at[0] == first) {
			w->seen[first]++;
			w->wrong += !is_old && !is_new && first != ZL_GUARD;
			for (unsigned i = 1; i < w->size; i++)
				w->wrong += is_old && rest[i] != w->old[i];
			w->wrong += is_new && w->size > ZL_SHORT_SIZE && rest[4] == w->old[4] && rest[3] == w->old[3];
			w->wrong += is_new && w->size == ZL_SHORT_SIZE && rest[1] == w->old[1];
		}
		atomic_fetch_add(&w->looks, 1);
	}
	return NULL;
}

static void wait_for(struct watch *w)
{
	unsigned from = atomic_load(&w->looks);

	while (atomic_load(&w->looks) - from < 10)
		;
}

static void rewrite_watched(struct subject *s)
{
	struct watch w = { .at = (uint8_t *)s->start, .size = s->cave ? ZL_SHORT_SIZE : ZL_JUMP_SIZE };
	pthread_t thread;

	memcpy(w.old, (void *)s->start, w.size);
	assert_int_equal(pthread_create(&thread, NULL, watch, &w), 0);
	for (int again = 0; again < 3; again++) {
		wait_for(&w);
		assert_int_equal(subject_rewrite(s), ZL_OK);
		subject_expect_jump(s);
		wait_for(&w);
		subject_undo(s);
		if (s->cave) {   /* it keeps its jump: somebody may be on his way */
			subject_expect_stub((uint8_t *)s->cave);
			memcpy(s->was + (s->cave - (uintptr_t)s->code), (void *)s->cave, ZL_JUMP_SIZE);
		}
		subject_expect_old(s);
	}
	atomic_store(&w.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(w.wrong, 0);
	assert_true(w.seen[w.old[0]] > 0 && w.seen[s->cave ? ZL_SHORT : ZL_JUMP] > 0);
	subject_end(s);
}

static void test_jump_threaded_in_three_steps(void **state)
{
	struct subject s;

	(void)state;
	atomic_store(&zl_is_threaded, true);
	for (unsigned offset = 4096 - 20; offset <= 4096 + 1; offset++)
		for (int has_descriptor = 0; has_descriptor < 2; has_descriptor++) {
			if (!has_descriptor)
				close(zl_codefd_number());
			subject_lay_mov(&s, offset);
			rewrite_watched(&s);
			subject_lay_cave(&s, offset, 30);
			rewrite_watched(&s);
			zl_codefd_open();
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
		cmocka_unit_test(test_jump_every_offset),
		cmocka_unit_test(test_jump_every_offset_without_descriptor),
		cmocka_unit_test(test_jump_caves_as_far_as_they_may_be),
		cmocka_unit_test(test_jump_leaves_other_bytes_alone),
		cmocka_unit_test(test_jump_undo_leaves_other_bytes_alone),
		cmocka_unit_test(test_jump_undo_of_a_guard),
		cmocka_unit_test(test_jump_steps),
		cmocka_unit_test(test_jump_threaded_in_three_steps),
	};
	return cmocka_run_group_tests(tests, start, NULL);
}
