/* fs.h - the thread pointer
 *
 * The agent uses none of its own, but whoever it calls does: hook code (threads/control.h), the decoder (lazy/trap.c).
 */
#ifndef ZL_BASE_FS_H
#define ZL_BASE_FS_H

#include "base/raw.h"
#include <asm/prctl.h>

/* May user code use rdfsbase and wrfsbase? Set at start, from the auxiliary vector; without them it takes a call. */
extern bool zl_has_fsgsbase;

static inline uintptr_t zl_fs_read(void)
{
	uintptr_t fs = 0;
	if (zl_likely(zl_has_fsgsbase))
		__asm__ volatile("rdfsbase %0" : "=r"(fs));
	else
		zl_raw(__NR_arch_prctl, ARCH_GET_FS, &fs);
	return fs;
}

static inline void zl_fs_set(uintptr_t fs)
{
	if (zl_likely(zl_has_fsgsbase))
		__asm__ volatile("wrfsbase %0" : : "r"(fs) : "memory");
	else
		zl_raw(__NR_arch_prctl, ARCH_SET_FS, fs);
}

#endif
