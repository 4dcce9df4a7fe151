/* vdso.h - the vDSO's functions made to enter the kernel, so that hooks see them (ZLAZY_VDSO=hook) */
#ifndef ZL_LAZY_VDSO_H
#define ZL_LAZY_VDSO_H

#include "base/types.h"

/* Replace them at `address`, AT_SYSINFO_EHDR of the auxiliary vector (0: none). Returns NULL when no caller can be
 * missed any more, else why nothing has been changed. Needs the descriptor of lazy/codefd.c. @init */
const char *zl_vdso_hook(uintptr_t address);

#endif
