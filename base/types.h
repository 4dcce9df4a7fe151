/* types.h - the few C conveniences that every part of the agent uses */
#ifndef ZL_BASE_TYPES_H
#define ZL_BASE_TYPES_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define zl_likely(x) __builtin_expect(!!(x), 1)
#define zl_unlikely(x) __builtin_expect(!!(x), 0)
#define ZL_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* A kernel result in -4095..-1 is an error; the one place that says so. */
static inline bool zl_is_error(long result)
{
	return (unsigned long)result >= -4095UL;
}

static inline uintptr_t zl_align_down(uintptr_t value, uintptr_t alignment)
{
	return value & ~(alignment - 1);
}

static inline uintptr_t zl_align_up(uintptr_t value, uintptr_t alignment)
{
	return zl_align_down(value + alignment - 1, alignment);
}

enum { ZL_PAGE = 4096 };

#endif
