/* refused.h - the list of refused sites that `zlazy --stats` prints */
#ifndef ZL_LAZY_REFUSED_H
#define ZL_LAZY_REFUSED_H

#include "base/types.h"

/* A site was refused at a call of this number. Where somebody wants the list, takes a descriptor for a moment, as
 * zl_maps_find() does. context: SIGSYS, locks: zl_patch_lock */
void zl_refused_record(uintptr_t site, uint64_t number, unsigned verdict);

/* A trap of a site that is marked as refused already. context: SIGSYS */
void zl_refused_trapped(uintptr_t after, uint64_t number);

#endif
