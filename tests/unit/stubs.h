/* stubs.h - what the tests of lazy/stubs.c have in common */
#ifndef UNIT_STUBS_H
#define UNIT_STUBS_H

#include "lazy/bytes.h"
#include "lazy/pools.h"

enum { MOV_RAX_SIZE = 7 };

extern const struct zl_jump mov_eax, mov_rax;
struct zl_jump stubs_cave(uintptr_t cave, const char *padding);

/* In each test: a pointer that leads nowhere is an answer. CMocka sets a handler of its own before. */
void stubs_begin(void **state);
uint8_t *stubs_map(void *at, size_t size, int protection);
/* What /proc/self/maps says of an address, "" if nothing. */
const char *stubs_rights(uintptr_t address);
/* Instruction by instruction, and where it leads. */
void stubs_expect_code(const struct zl_stub *stub, uintptr_t after, const struct zl_jump *jump);
/* zl_stub_make(), looked at. */
struct zl_stub *stubs_make(uintptr_t after, const struct zl_jump *jump);

#endif
