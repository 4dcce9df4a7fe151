/* sites.h - writing side of the bitmap of sites (base/sites.h)
 *
 * All: locks: zl_patch_lock. `after` is the address after the two bytes; what happens to memory from
 * `start` to `end` concerns each site of which it holds a byte.
 */
#ifndef ZL_LAZY_SITES_H
#define ZL_LAZY_SITES_H

#include "lazy/leaves.h"

/* No byte that a rewritten site has changed lies further from it: the displaced instruction, or the cave. */
enum { ZL_SITE_REACH = 160 };

void zl_site_publish(struct zl_leaf *leaf, uintptr_t after, enum zl_site_state state);
void zl_site_retract(struct zl_leaf *leaf, uintptr_t after);
void zl_site_refuse(struct zl_leaf *leaf, uintptr_t after);

/* Forget all about the sites of a range for which drops() says so; NULL: all. drops() is asked for rewritten sites
 * only, those that are refused are forgotten in any case. O(log n + sites in the range). */
void zl_sites_drop(uintptr_t start, uintptr_t end, bool (*drops)(uintptr_t after, enum zl_site_state state));
#endif
