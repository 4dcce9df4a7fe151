/* leaves.h - the leaves of the bitmap: made, found in the order of their pages, used again; and who changes memory
 *
 * A call that changes the program's memory enters the range, and leaves it afterwards. Who records a site takes a
 * stamp first of all, judges, makes the leaf, and then looks whether the stamp still holds and nobody is in; who
 * enters looks for leaves afterwards. So one of them sees the other: either the site is not recorded, or it is seen to
 * be there.
 */
#ifndef ZL_LAZY_LEAVES_H
#define ZL_LAZY_LEAVES_H

#include "base/sites.h"

/* The leaf of the page of this address; NULL when there is no memory. locks: zl_patch_lock */
struct zl_leaf *zl_leaf_make(uintptr_t address);
/* The leaf of this page, or else the next one above it; NULL if there is none. locks: zl_patch_lock */
struct zl_leaf *zl_leaf_from(uint64_t page);
/* It has no site any more, and may serve another page when enough others have come to rest. locks: zl_patch_lock */
void zl_leaf_rest(struct zl_leaf *leaf);

/* False: no site is in [start, end). Quick, and may be wrong the other way. */
bool zl_leaves_may_lie(uintptr_t start, uintptr_t end);
/* The memory of [start, end) changes, up to zl_leaves_leave(). */
void zl_leaves_enter(uintptr_t start, uintptr_t end);
void zl_leaves_leave(uintptr_t start, uintptr_t end);
/* What has happened to the memory of a site up to now. */
uint64_t zl_leaves_stamp(uintptr_t site);
/* Has nothing happened since, and does nothing happen now? */
bool zl_leaves_are_quiet(uintptr_t site, uint64_t stamp);
/* There is but one thread now, and it has entered nothing. */
void zl_leaves_alone(void);

/* Leave the bitmap out of core dumps. @init */
void zl_leaves_start(void);

#endif
