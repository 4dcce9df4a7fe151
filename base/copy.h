/* copy.h - access to the program's memory as the kernel does it: a bad pointer is an answer, not a crash */
#ifndef ZL_BASE_COPY_H
#define ZL_BASE_COPY_H

#include "base/types.h"

/* Returns the number of bytes that could not be copied. context: anywhere, once the agent's SIGSEGV handler is set. */
size_t zl_copy(void *to, const void *from, size_t size);
extern const char zl_copy_insn[] __attribute__((visibility("hidden")));
extern const char zl_copy_fault[] __attribute__((visibility("hidden")));

/* If there is `expected`, put `wanted` there, atomically: 1 if done, 0 if there was something else, -1 if it faulted.
 * 16 bits must lie in one aligned word of eight bytes. */
int zl_swap16(uintptr_t at, uint16_t expected, uint16_t wanted);
int zl_swap8(uintptr_t at, uint8_t expected, uint8_t wanted);
extern const char zl_swap16_insn[] __attribute__((visibility("hidden")));
extern const char zl_swap16_fault[] __attribute__((visibility("hidden")));
extern const char zl_swap8_insn[] __attribute__((visibility("hidden")));
extern const char zl_swap8_fault[] __attribute__((visibility("hidden")));

/* What gs:BLOCK_SELF holds, 0 if it can't be read: the thread's block, unless the program has changed gs. */
const void *zl_read_self(void);
extern const char zl_read_self_insn[] __attribute__((visibility("hidden")));
extern const char zl_read_self_fault[] __attribute__((visibility("hidden")));

/* The time-stamp counter, 0 where the program may not read it (prctl(PR_SET_TSC), seccomp's strict mode). */
uint64_t zl_read_ticks(void);
extern const char zl_read_ticks_insn[] __attribute__((visibility("hidden")));
extern const char zl_read_ticks_fault[] __attribute__((visibility("hidden")));

/* Page zero is the agent's: for the program it is not there. Set by trampoline/zero.c. */
extern bool zl_copy_hides_zero;

static inline bool zl_copy_may(uintptr_t address)
{
	return (intptr_t)address >= 0 && (address >= ZL_PAGE || !zl_copy_hides_zero);
}

/* Like the kernel's, which refuses its own half of the address space before it touches anything. */
static inline bool zl_copy_in(void *to, uintptr_t from, size_t size)
{
	return zl_copy_may(from) && zl_copy(to, (const void *)from, size) == 0;
}

static inline bool zl_copy_out(uintptr_t to, const void *from, size_t size)
{
	return zl_copy_may(to) && zl_copy((void *)to, from, size) == 0;
}

#endif
