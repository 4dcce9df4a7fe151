/* codefd.h - the agent's descriptor of /proc/self/mem, by which code is written */
#ifndef ZL_LAZY_CODEFD_H
#define ZL_LAZY_CODEFD_H

#include "base/types.h"

/* Open it, high in the table. Without it patching falls back to mprotect. @init, and in a forked child, which
 * must never use the parent's: that one still writes to the parent. */
void zl_codefd_open(void);
/* The descriptor, or -1. Asks the kernel whether it is still the agent's file. context: SIGSYS. */
int zl_codefd_get(void);
/* Read the program's code, execute-only or under a protection key though it may be; false if nothing is mapped there.
 * */
bool zl_codefd_read(void *to, uintptr_t from, size_t size);
/* Is this site, in memory that the program writes, still what was recorded: does `mov $number,%eax` stand before it,
 * with the number that is in eax, or one that it may be jumped to with another? */
bool zl_code_moves(uintptr_t site, uint64_t number, bool or_another);
/* Move it to another number, because the program wants this one. locks: zl_patch_lock */
void zl_codefd_move(void);
/* Its number as the program may stumble over it, or -1. */
int zl_codefd_number(void);

#endif
