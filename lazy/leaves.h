/* leaves.h - the leaves of the bitmap: made, found in the order of their pages, given back
 *
 * All but zl_leaves_may_lie(): locks: zl_patch_lock.
 */
#ifndef ZL_LAZY_LEAVES_H
#define ZL_LAZY_LEAVES_H

#include "base/sites.h"

/* The leaf of the page of this address; NULL when there is no memory. */
struct zl_leaf *zl_leaf_make(uintptr_t address);
/* The leaf of this page, or else the next one above it; NULL if there is none. */
struct zl_leaf *zl_leaf_from(uint64_t page);
/* pre: it has no bits */
void zl_leaf_free(struct zl_leaf *leaf);

/* False: no leaf is of a page of [start, end). Quick, and may be wrong the other way. No lock. */
bool zl_leaves_may_lie(uintptr_t start, uintptr_t end);

/* Leave the bitmap out of core dumps. @init */
void zl_leaves_start(void);

#endif
