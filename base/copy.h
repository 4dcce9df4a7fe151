/* copy.h - access to the program's memory as the kernel does it: a bad pointer is an answer, not a crash */
#ifndef ZL_BASE_COPY_H
#define ZL_BASE_COPY_H

#include "base/types.h"

/* Returns the number of bytes that could not be copied. context: anywhere, once the agent's SIGSEGV handler is set. */
size_t zl_copy(void *to, const void *from, size_t size);
extern const char zl_copy_insn[] __attribute__((visibility("hidden")));
extern const char zl_copy_fault[] __attribute__((visibility("hidden")));

/* Like the kernel's, which refuses its own half of the address space before it touches anything. */
static inline bool zl_copy_in(void *to, uintptr_t from, size_t size)
{
	return (intptr_t)from >= 0 && zl_copy(to, (const void *)from, size) == 0;
}

static inline bool zl_copy_out(uintptr_t to, const void *from, size_t size)
{
	return (intptr_t)to >= 0 && zl_copy((void *)to, from, size) == 0;
}

#endif
