/* test_pools.c - where stubs lie (lazy/pools.c, lazy/stubs.c, lazy/near.c), and when they serve other sites
 *
 *   no room       nothing within 2 GiB; then one gap, right below code; never below other memory
 *   failures      of each call for a pool; later it works
 *   other sites   get a stub when 1024 others rest, and its site's bytes are gone, or its displaced ones; no sooner
 *   given back    with the last site that needs one of its stubs, where there are many; not with a live one
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "stubs.h"
#include "base/inject.h"
#include "lazy/codefd.h"
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POOL_STUBS = ZL_POOL_SLOTS - 1, MANY = 2000, MORE = 1500, APART = 16, SITE_AT = 5 };
static const uintptr_t GIB = 1UL << 30, FAR = 1UL << 33;

static void put_jump(uint8_t *to, uintptr_t from, uintptr_t target)
{
	int32_t relative = (int32_t)(target - from - ZL_JUMP_SIZE);

	*to = ZL_JUMP;
	memcpy(to + 1, &relative, sizeof(relative));
}

static void test_pools_without_room(void **state)
{
	uint8_t *area = stubs_map(NULL, 6 * GIB, PROT_NONE);
	uintptr_t middle = (uintptr_t)area + 3 * GIB, gap = (uintptr_t)area + 2 * GIB;
	struct zl_stub *stub;

	stubs_begin(state);
	assert_null(zl_stub_make(middle, &mov_eax));
	munmap((void *)(gap + 0x100000), 0x100000);             /* below what is no code */
	assert_null(zl_stub_make(middle, &mov_eax));
	stubs_map((void *)(gap + 0x200000), ZL_PAGE, PROT_READ | PROT_EXEC);
	stub = stubs_make(middle, &mov_eax);
	assert_int_equal(stub->slot - ZL_STUB_SIZE, gap + 0x200000 - ZL_POOL_SIZE);
	zl_stub_rest(middle);
	munmap(area, gap + 0x200000 - ZL_POOL_SIZE - (uintptr_t)area);   /* all but the pool */
	munmap((void *)(gap + 0x200000), (uintptr_t)area + 6 * GIB - (gap + 0x200000));
}

static void test_pools_each_failure(void **state)
{
	static const char *const faults[] = { "map:1", "map:2", "map:*", "protect:1", "protect:*" };
	uintptr_t after = 0x300000000002;

	stubs_begin(state);
	for (size_t i = 0; i < ZL_ARRAY_SIZE(faults); i++) {
		after += FAR;
		assert_true(zl_inject_parse(faults[i]));
		(void)zl_stub_make(after, &mov_eax);
		assert_true(zl_inject_parse("all:1000000000"));
		stubs_make(after, &mov_eax);
	}
}

enum bytes { GONE, ORIGINAL, JUMP_STAYS, MOV_GONE, UNMAPPED };
enum { NO_STUBS, SOME_STUBS, MANY_STUBS };

/* MANY sites of one piece of memory come to rest, with these bytes there: how many of MORE others get stubs of
 * theirs? */
static unsigned reused(enum bytes bytes)
{
	static uintptr_t codes[MANY];
	uint8_t *code = stubs_map(NULL, (MANY + MORE) * APART, PROT_READ | PROT_WRITE), *at = code;
	unsigned count = 0;

	for (unsigned i = 0; i < MANY; i++, at += APART)
		codes[i] = zl_stub_make((uintptr_t)at + SITE_AT + ZL_SITE_SIZE, &mov_eax)->code;
	for (unsigned i = 0; i < MANY; i++) {
		at = code + i * APART;
		zl_stub_rest((uintptr_t)at + SITE_AT + ZL_SITE_SIZE);
		if (bytes != GONE)
			memcpy(at + SITE_AT, "\x0f\x05", 2);
		if (bytes == ORIGINAL)
			memcpy(at, mov_eax.displaced, ZL_MOV_SIZE);
		if (bytes == JUMP_STAYS)
			put_jump(at, (uintptr_t)at, codes[i]);
	}
	if (bytes == UNMAPPED)
		munmap(code, zl_align_down(MANY * APART, ZL_PAGE));
	at = code + MANY * APART;
	for (unsigned i = 0; i < MORE; i++, at += APART) {
		uintptr_t now = zl_stub_make((uintptr_t)at + SITE_AT + ZL_SITE_SIZE, &mov_eax)->code;
		for (unsigned j = 0; j < MANY; j++)
			count += codes[j] == now;
		memcpy(at, "\xb8\x27\x00\x00\x80\x0f\x05", SITE_AT + ZL_SITE_SIZE);   /* is no more to be had */
		zl_stub_rest((uintptr_t)at + SITE_AT + ZL_SITE_SIZE);
	}
	munmap(code, (MANY + MORE) * APART);
	return count;
}

/* Each in a process of its own, where nothing else rests: none, many, or some? */
static int share_reused(enum bytes bytes)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		unsigned count;

		zl_codefd_open();
		count = reused(bytes);
		_exit(count == 0 ? NO_STUBS : count > MANY / 4 ? MANY_STUBS : SOME_STUBS);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_pools_for_other_sites(void **state)
{
	stubs_begin(state);
	assert_int_equal(share_reused(ORIGINAL), NO_STUBS);
	assert_int_equal(share_reused(JUMP_STAYS), NO_STUBS);
	assert_int_equal(share_reused(GONE), MANY_STUBS);
	assert_int_equal(share_reused(MOV_GONE), MANY_STUBS);
	assert_int_equal(share_reused(UNMAPPED), MANY_STUBS);
}

/* Few that rest are left alone: somebody may still stand there. */
static void test_pools_rest_for_a_while(void **state)
{
	const uintptr_t after = 0x340000000002;
	uintptr_t codes[POOL_STUBS];

	stubs_begin(state);
	for (unsigned i = 0; i < POOL_STUBS; i++) {
		codes[i] = stubs_make(after + APART * i, &mov_eax)->code;
		zl_stub_rest(after + APART * i);
	}
	for (unsigned i = 0; i < POOL_STUBS; i++) {
		uintptr_t now = stubs_make(after + FAR / 64 + APART * i, &mov_eax)->code;
		for (unsigned j = 0; j < POOL_STUBS; j++)
			assert_int_not_equal(now, codes[j]);
		zl_stub_rest(after + FAR / 64 + APART * i);
	}
}

static void test_pools_are_given_back(void **state)
{
	enum { PLACES = 40, LIVE = 3 };
	uintptr_t first = 0x400000000002, code[PLACES];
	unsigned there = 0;

	stubs_begin(state);
	for (unsigned i = 0; i < PLACES; i++) {
		code[i] = stubs_make(first + i * FAR, &mov_eax)->code;
		if (i != LIVE)
			zl_stub_rest(first + i * FAR);
	}
	for (unsigned i = 0; i < PLACES; i++) {
		size_t offset;
		bool is_known = zl_stub_at(code[i], &offset) != NULL;
		assert_int_equal(is_known, stubs_rights(code[i])[0] == 'r');
		there += is_known;
	}
	assert_true(there <= 8);
	stubs_expect_code(zl_stub_find(first + LIVE * FAR), first + LIVE * FAR, &mov_eax);
}

static int start(void **state)
{
	(void)state;
	zl_codefd_open();
	return zl_codefd_get() < 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pools_for_other_sites),   /* first: nothing rests */
		cmocka_unit_test(test_pools_without_room),
		cmocka_unit_test(test_pools_each_failure),
		cmocka_unit_test(test_pools_rest_for_a_while),
		cmocka_unit_test(test_pools_are_given_back),
	};
	return cmocka_run_group_tests(tests, start, NULL);
}
