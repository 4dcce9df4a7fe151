/* debug.h - what ZLAZY_DEBUG tells of sites, from level 2 on */
#ifndef ZL_LAZY_DEBUG_H
#define ZL_LAZY_DEBUG_H

#include "base/types.h"

/* Level 2: a site that keeps trapping. locks: zl_patch_lock.  context: SIGSYS. */
void zl_debug_refused(uintptr_t site, uint64_t number, const char *why);
/* Level 3: a site that has been rewritten, and how. locks: zl_patch_lock.  context: SIGSYS. */
void zl_debug_rewritten(uintptr_t site, const char *how, bool by_mprotect);

#endif
