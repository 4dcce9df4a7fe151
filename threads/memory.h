/* memory.h - calls about the memory map: see memory.c */
#ifndef ZL_THREADS_MEMORY_H
#define ZL_THREADS_MEMORY_H

#include "trampoline/frame.h"

#ifndef __NR_mseal
#define __NR_mseal 462
#endif

/* int $0x80: the number of the 64-bit twin if the call would touch the agent's memory or sites, else -1. */
long zl_memory_i386_twin(const struct zl_frame *frame);
/* int $0x80, old mmap: is it MAP_FIXED over the agent's memory? */
bool zl_memory_i386_refuses(const struct zl_frame *frame);
/* int $0x80: the call has been made. Returns its result. */
long zl_memory_i386_mapped(const struct zl_frame *frame, long at);

#endif
