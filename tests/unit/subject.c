/* subject.c - see subject.h */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "subject.h"
#include "lazy/maps.h"
#include <string.h>
#include <sys/mman.h>

bool zl_copy_hides_zero;       /* trampoline/zero.c has it */
const char zl_entry_stub[1];   /* trampoline/entry.S has it */

void subject_lay(struct subject *s, unsigned offset, const char *mov, unsigned length, int cave)
{
	*s = (struct subject){ .jump.length = length };
	s->code = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(s->code, MAP_FAILED);
	memset(s->code, NOP, SIZE);
	memcpy(s->code + offset, mov, length);
	memcpy(s->code + offset + length, "\x0f\x05", ZL_SITE_SIZE);
	s->start = (uintptr_t)s->code + offset;
	s->after = s->start + length + ZL_SITE_SIZE;
	memcpy(s->jump.displaced, mov, length);
	if (length == 0) {
		s->cave = s->jump.cave = s->after + (uintptr_t)(intptr_t)cave;
		memset((void *)s->cave, 0xcc, ZL_JUMP_SIZE);
		memset(s->jump.padding, 0xcc, ZL_JUMP_SIZE);
	}
	memcpy(s->was, s->code, SIZE);
	assert_int_equal(mprotect(s->code, SIZE, PROT_READ | PROT_EXEC), 0);
	zl_maps_forget(s->start, s->after);
	s->leaf = zl_leaf_make(s->after);
	assert_non_null(s->leaf);
}

void subject_lay_mov(struct subject *s, unsigned offset)
{
	subject_lay(s, offset, "\xb8\x27\x00\x00\x00", ZL_MOV_SIZE, 0);
}

void subject_lay_cave(struct subject *s, unsigned offset, int cave)
{
	subject_lay(s, offset, "", 0, cave);
}

long subject_rewrite(struct subject *s)
{
	return zl_jump_apply(s->leaf, s->after, &s->jump);
}

bool subject_is_recorded(const struct subject *s)
{
	return zl_site_state(s->after) == ZL_SITE_JUMPED;
}

static uintptr_t target_of(const uint8_t *jump)
{
	int32_t relative;

	memcpy(&relative, jump + 1, sizeof(relative));
	return (uintptr_t)jump + ZL_JUMP_SIZE + (uintptr_t)(intptr_t)relative;
}

void subject_expect_stub(const uint8_t *at)
{
	size_t offset;
	const struct zl_stub *stub;

	assert_int_equal(at[0], ZL_JUMP);
	stub = zl_stub_at(target_of(at), &offset);
	assert_non_null(stub);
	assert_int_equal(target_of(at), stub->code);
}

void subject_expect_jump(const struct subject *s)
{
	uint8_t expected[SIZE], *at = (uint8_t *)(s->cave ? s->cave : s->start);

	memcpy(expected, s->was, SIZE);
	expected[at - s->code] = ZL_JUMP;
	memcpy(expected + (at - s->code) + 1, at + 1, sizeof(int32_t));
	if (s->cave) {
		expected[s->start - (uintptr_t)s->code] = ZL_SHORT;
		expected[s->start - (uintptr_t)s->code + 1] = (uint8_t)(s->cave - s->after);
	}
	assert_memory_equal(s->code, expected, SIZE);
	subject_expect_stub(at);
	assert_int_equal(zl_stub_find(s->after)->code, target_of(at));
	assert_true(subject_is_recorded(s) && zl_jump_is_there(s->after));
}

void subject_expect_old(const struct subject *s)
{
	assert_memory_equal(s->code, s->was, SIZE);
}

void subject_undo(struct subject *s)
{
	assert_true(zl_jump_undo(s->after));
	zl_site_retract(s->leaf, s->after);
	assert_false(subject_is_recorded(s));
}

void subject_end(struct subject *s)
{
	if (subject_is_recorded(s))
		zl_site_retract(s->leaf, s->after);
	munmap(s->code, SIZE);
}
