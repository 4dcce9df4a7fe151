/* bysite.h - the stubs by their sites
 *
 * Written under the patch lock. Who has no lock may miss a stub while another one is added, moved or removed: then
 * zl_bysite_is_quiet() tells.
 */
#ifndef ZL_LAZY_BYSITE_H
#define ZL_LAZY_BYSITE_H

#include "lazy/stubs.h"

/* The first of the stubs with the same hash, through next_same, and NULL at the end. */
struct zl_stub *zl_bysite_first(uintptr_t after);
/* pre: stub->after is set. locks: zl_patch_lock */
void zl_bysite_add(struct zl_stub *stub);
/* pre: it has been added. locks: zl_patch_lock */
void zl_bysite_remove(struct zl_stub *stub);

/* Has nothing changed since, and does nothing just now? No lock */
uint32_t zl_bysite_turn(void);
bool zl_bysite_is_quiet(uint32_t since);

#endif
