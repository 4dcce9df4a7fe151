/* sites.h - writing side of the bitmap of sites (base/sites.h) */
#ifndef ZL_LAZY_SITES_H
#define ZL_LAZY_SITES_H

#include "base/sites.h"

/* All: locks: zl_patch_lock. `after` is the address after the two bytes. */
struct zl_leaf *zl_leaf_make(uintptr_t after);   /* NULL when there is no memory */
void zl_site_publish(struct zl_leaf *leaf, uintptr_t after);
void zl_site_retract(struct zl_leaf *leaf, uintptr_t after);
void zl_site_refuse(struct zl_leaf *leaf, uintptr_t after);

/* Leave the bitmap out of core dumps. @init */
void zl_sites_start(void);

#endif
