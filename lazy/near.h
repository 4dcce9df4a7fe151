/* near.h - memory within 2 GiB of an address, out of the program's way */
#ifndef ZL_LAZY_NEAR_H
#define ZL_LAZY_NEAR_H

#include "base/types.h"

/* Can a 32-bit displacement in [from, from + size) lead to any byte of [to, to + more), and back? */
static inline bool zl_is_near(uintptr_t from, size_t size, uintptr_t to, size_t more)
{
	enum { REACH = 0x7fffff00 };
	return from < to ? to + more - from < REACH : from + size - to < REACH;
}

/* An address of the first thread's stack, which grows downward from there. Set once at start. */
extern uintptr_t zl_near_stack;

/* Map private memory, readable and writable, that code around `address` can reach, at a place that the program has
 * hardly just left, and wants back. As zl_os_map().
 * context: SIGSYS, locks: zl_patch_lock */
long zl_near_map(uintptr_t address, size_t size);

#endif
