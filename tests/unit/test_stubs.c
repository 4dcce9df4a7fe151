/* test_stubs.c - the code that jumps lead to (lazy/stubs.c)
 *
 *   code       for a mov of 5 and of 7 bytes and for a cave: instruction by instruction, and where it leads; within
 *              reach of sites anywhere; never writable and executable; without the descriptor, too
 *   one site   the same stub for the same jump, another one for another; found while it is live
 *   places     what each pc of a stub, and of a cave, stands for
 *   extent     what a jump has changed
 *   copies     restored where they are the agent's jumps, and nothing else; where they lead to from elsewhere
 *   claims     a cave with a jump in it, and none without
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "stubs.h"
#include "lazy/codefd.h"
#include "lazy/sites.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void test_stubs_code_and_places(void **state)
{
	static const uintptr_t places[] = { 0x20001002, 0x70000007, 0x500000000fff, 0x7f0000000001 };

	stubs_begin(state);
	for (size_t i = 0; i < ZL_ARRAY_SIZE(places); i++)
		for (int has_descriptor = 0; has_descriptor < 2; has_descriptor++) {
			uintptr_t after = places[i] + 64 * (uintptr_t)has_descriptor;
			struct zl_jump cave = stubs_cave(after + 40, "\xcc\xcc\xcc\xcc\xcc");
			struct zl_stub *first;

			if (!has_descriptor)
				close(zl_codefd_number());
			first = stubs_make(after, &mov_eax);
			stubs_make(after + 16, &mov_rax);
			stubs_make(after + 32, &cave);
			stubs_expect_code(first, after, &mov_eax);   /* the others' writing has left it alone */
			zl_codefd_open();
		}
}

static void test_stubs_of_one_site(void **state)
{
	const uintptr_t after = 0x320000000002;
	const struct zl_jump one = stubs_cave(after + 20, "\xcc\xcc\xcc\xcc\xcc"),
			     two = stubs_cave(after + 20, "\x90\x90\x90\x90\x90"),
			     three = stubs_cave(after + 21, "\xcc\xcc\xcc\xcc\xcc");
	const struct zl_jump other = { .length = ZL_MOV_SIZE, .displaced = "\xb8\x28\x00\x00\x80" }, *const jumps[] = {
		&mov_eax, &other, &mov_rax, &one, &two, &three };
	struct zl_stub *stubs[ZL_ARRAY_SIZE(jumps)];

	stubs_begin(state);
	assert_null(zl_stub_find(after));
	for (size_t i = 0; i < ZL_ARRAY_SIZE(jumps); i++) {
		stubs[i] = stubs_make(after, jumps[i]);
		for (size_t j = 0; j < i; j++)
			assert_ptr_not_equal(stubs[i], stubs[j]);
		zl_stub_rest(after);
		assert_null(zl_stub_find(after));
	}
	for (size_t i = 0; i < ZL_ARRAY_SIZE(jumps); i++) {
		assert_ptr_equal(stubs_make(after, jumps[i]), stubs[i]);
		assert_ptr_equal(zl_stub_from(stubs[i]->start), stubs[i]);   /* the live one */
		zl_stub_rest(after);
		assert_non_null(zl_stub_from(stubs[i]->start));              /* any of them */
	}
	assert_null(zl_stub_from(after + 1));
}

static void expect_place(const struct zl_stub *stub, size_t offset)
{
	struct zl_stub_place place;
	size_t at;

	assert_ptr_equal(zl_stub_at(stub->slot + offset, &at), stub);
	assert_int_equal(at, offset);
	assert_true(zl_stub_place(stub->slot + offset, &place));
	assert_int_equal(place.pc, offset < ZL_STUB_SAVE ? stub->start : stub->after - ZL_SITE_SIZE);
	assert_int_equal(place.is_displaced, stub->length && offset == ZL_STUB_SAVE);
	if (offset == ZL_STUB_NUMBER || offset == ZL_STUB_SAVE || offset == ZL_STUB_AFTER)
		assert_false(place.has_continuation);
	if (offset == ZL_STUB_JUMP)
		assert_true(place.has_continuation);
}

static void test_stubs_what_a_pc_stands_for(void **state)
{
	const uintptr_t after = 0x330000000012;
	const struct zl_jump cave = stubs_cave(after + 40, "\xcc\xcc\xcc\xcc\xcc"),
			     *const jumps[] = { &mov_eax, &mov_rax, &cave };
	struct zl_stub_place place;
	size_t at;

	stubs_begin(state);
	for (size_t i = 0; i < ZL_ARRAY_SIZE(jumps); i++) {
		const struct zl_stub *stub = stubs_make(after + 64 * i, jumps[i]);
		for (size_t offset = 0; offset < ZL_STUB_SIZE; offset++)
			expect_place(stub, offset);
		assert_int_equal(stub->start, after + 64 * i - ZL_SITE_SIZE - jumps[i]->length);
		assert_null(zl_stub_at(stub->slot + ZL_STUB_SIZE, &at));     /* not used yet */
		assert_null(zl_stub_at((uintptr_t)stub->data, &at));
	}
	assert_false(zl_stub_place(after, &place));
}

static void put_jump(uint8_t *to, uintptr_t from, uintptr_t target)
{
	int32_t relative = (int32_t)(target - from - ZL_JUMP_SIZE);

	*to = ZL_JUMP;
	memcpy(to + 1, &relative, sizeof(relative));
}

/* A page of which 16 bytes from 64 on are a call by its mov, and from 128 on one with a cave at 160, both rewritten. */
struct page { uint8_t *code; struct zl_stub *mov, *cave; };
enum { MOV = 64, CAVE_SITE = 128, CAVE = 160 };

static struct page rewritten_page(const struct zl_jump *mov)
{
	struct page page = { .code = stubs_map(NULL, ZL_PAGE, PROT_READ | PROT_WRITE) };
	uintptr_t base = (uintptr_t)page.code;
	struct zl_jump cave = stubs_cave(base + CAVE, "\xcc\xcc\xcc\xcc\xcc");

	memset(page.code, 0x90, ZL_PAGE);
	page.mov = stubs_make(base + MOV + mov->length + ZL_SITE_SIZE, mov);
	page.cave = stubs_make(base + CAVE_SITE + ZL_SITE_SIZE, &cave);
	memcpy(page.code + MOV, mov->displaced, mov->length);
	memcpy(page.code + MOV + mov->length, "\x0f\x05", 2);
	put_jump(page.code + MOV, base + MOV, page.mov->code);
	page.code[CAVE_SITE] = ZL_SHORT;
	page.code[CAVE_SITE + 1] = CAVE - CAVE_SITE - ZL_SITE_SIZE;
	put_jump(page.code + CAVE, base + CAVE, page.cave->code);
	return page;
}

static void drop(struct page *page)
{
	zl_stub_rest(page->mov->after);
	zl_stub_rest(page->cave->after);
	munmap(page->code, ZL_PAGE);
}

static void test_stubs_cave_and_claims(void **state)
{
	struct page page;
	uintptr_t base;
	struct zl_stub_place place;

	stubs_begin(state);
	page = rewritten_page(&mov_eax);
	base = (uintptr_t)page.code;
	assert_true(zl_stub_place(base + CAVE, &place));
	assert_int_equal(place.pc, base + CAVE_SITE);
	assert_false(place.is_displaced || place.has_continuation);
	assert_false(zl_stub_place(base + MOV, &place));   /* that is the program's */
	assert_false(zl_stub_place(base + CAVE + 1, &place));
	assert_true(zl_stubs_claim(base + CAVE, base + CAVE + 1, 0, 0) && zl_stubs_claim(base, base + ZL_PAGE, 0, 0));
	assert_false(zl_stubs_claim(base, base + CAVE, 0, 0) || zl_stubs_claim(base + CAVE + 1, base + ZL_PAGE, 0, 0));
	memset(page.code + CAVE, 0xcc, ZL_JUMP_SIZE);
	assert_false(zl_stubs_claim(base, base + ZL_PAGE, 0, 0));
	drop(&page);
}

static void test_stubs_extent(void **state)
{
	struct page page;
	uintptr_t base, low, high;
	struct zl_jump back;

	stubs_begin(state);
	page = rewritten_page(&mov_rax);
	base = (uintptr_t)page.code;
	zl_stub_extent(page.mov->after, &low, &high);
	assert_true(low == base + MOV && high == base + MOV + MOV_RAX_SIZE + ZL_SITE_SIZE);
	zl_stub_extent(page.cave->after, &low, &high);
	assert_true(low == base + CAVE_SITE && high == base + CAVE + ZL_JUMP_SIZE);
	zl_stub_rest(page.cave->after);
	back = stubs_cave(base + 32, "\xcc\xcc\xcc\xcc\xcc");
	stubs_make(page.cave->after, &back);
	zl_stub_extent(page.cave->after, &low, &high);
	assert_true(low == base + 32 && high == base + CAVE_SITE + ZL_SITE_SIZE);
	drop(&page);
}

static void test_stubs_restore(void **state)
{
	struct page page;
	uintptr_t base;
	uint8_t expected[512], bytes[512];

	stubs_begin(state);
	page = rewritten_page(&mov_eax);
	base = (uintptr_t)page.code;
	put_jump(page.code + 300, base + 300, page.mov->slot + ZL_STUB_SIZE);   /* the next, of other code */
	put_jump(page.code + 320, base + 320, page.mov->code);                  /* not from its place */
	put_jump(page.code + 340, base + 340, base);                            /* the program's */
	memcpy(page.code + 360, "\xeb\x10", 2);
	memcpy(expected, page.code, sizeof(expected));
	memcpy(bytes, page.code, sizeof(bytes));
	memcpy(expected + MOV, mov_eax.displaced, ZL_MOV_SIZE);
	memset(expected + CAVE, 0xcc, ZL_JUMP_SIZE);
	zl_stubs_restore(bytes, base, sizeof(bytes));
	assert_memory_equal(bytes, expected, sizeof(expected));                 /* not recorded: its short jump stays */
	zl_site_publish(zl_leaf_make(page.cave->after), page.cave->after, ZL_SITE_JUMPED);
	memcpy(bytes, page.code, sizeof(bytes));
	memcpy(expected + CAVE_SITE, "\x0f\x05", 2);
	zl_stubs_restore(bytes, base, sizeof(bytes));
	assert_memory_equal(bytes, expected, sizeof(expected));
	memcpy(bytes, page.code, sizeof(bytes));                                /* half of a jump at the end */
	zl_stubs_restore(bytes + 1, base + 1, MOV + 3);
	assert_memory_equal(bytes, page.code, MOV + 4);
	drop(&page);
}

/* The page is somewhere else, too; its jumps lead as far from there. */
static void expect_copy(const struct page *page, const struct zl_jump *mov, uint64_t number)
{
	uint8_t *copy = stubs_map(NULL, ZL_PAGE, PROT_READ | PROT_WRITE);
	uintptr_t by = (uintptr_t)copy - (uintptr_t)page->code, to = (uintptr_t)copy;
	struct zl_stub_copy found;

	memcpy(copy, page->code, ZL_PAGE);
	assert_true(zl_stub_of_copy(page->mov->code + by, &found));
	assert_int_equal(found.site, to + MOV + mov->length);
	assert_true(found.has_number);
	assert_int_equal(found.number, number);
	assert_true(zl_stub_of_copy(page->cave->code + by, &found));
	assert_int_equal(found.site, to + CAVE_SITE);
	assert_false(found.has_number);
	assert_false(zl_stub_of_copy(page->mov->code, &found));           /* it is no copy */
	assert_false(zl_stub_of_copy(page->mov->code + by + 1, &found));
	copy[MOV + mov->length] = 0x90;                                   /* no call behind it */
	copy[CAVE_SITE + 1]++;
	assert_false(zl_stub_of_copy(page->mov->code + by, &found) || zl_stub_of_copy(page->cave->code + by, &found));
	munmap(copy, ZL_PAGE);
	assert_false(zl_stub_of_copy(page->mov->code + by, &found));
}

static void test_stubs_of_copies(void **state)
{
	struct page page;

	stubs_begin(state);
	page = rewritten_page(&mov_eax);
	expect_copy(&page, &mov_eax, 0x80000027);
	drop(&page);
	page = rewritten_page(&mov_rax);
	expect_copy(&page, &mov_rax, (uint64_t)-2);
	drop(&page);
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
		cmocka_unit_test(test_stubs_code_and_places),
		cmocka_unit_test(test_stubs_of_one_site),
		cmocka_unit_test(test_stubs_what_a_pc_stands_for),
		cmocka_unit_test(test_stubs_cave_and_claims),
		cmocka_unit_test(test_stubs_extent),
		cmocka_unit_test(test_stubs_restore),
		cmocka_unit_test(test_stubs_of_copies),
	};
	return cmocka_run_group_tests(tests, start, NULL);
}
