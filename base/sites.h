/* sites.h - the sparse bitmap of sites, reading side (lazy/sites.c is the only writer)
 *
 * A site is known by the address after its two bytes: the return address that `call *%rax` pushes, and the
 * si_call_addr of a trap. The directory has one chain per 4 KiB page number modulo its size; a leaf holds a bit
 * per byte of one page. Nothing depends on the width of an address. Only touched pages of the directory and
 * leaves that exist cost memory.
 *
 * Leaves are published by a release store and never freed or moved; a bit is set before the bytes of the site
 * change, so who executes the new bytes finds it.
 *
 * zl_sites_seen saves entry.S most walks: a rewritten site's address at its own value modulo the size, the last one
 * rewritten where several meet. What is there is in the bitmap too.
 */
#ifndef ZL_BASE_SITES_H
#define ZL_BASE_SITES_H

#define SITES_DIRECTORY_BITS 16
#define SITES_SEEN	4096
#define LEAF_PAGE	0
#define LEAF_NEXT	8
#define LEAF_PATCHED	16

#ifndef __ASSEMBLER__
#include "base/types.h"
#include <stdatomic.h>

struct zl_leaf {
	uint64_t page;                          /* address >> 12 */
	struct zl_leaf *_Atomic next;
	_Atomic uint64_t patched[ZL_PAGE / 64]; /* rewritten to `call *%rax` */
	_Atomic uint64_t refused[ZL_PAGE / 64]; /* judged, and left to trap */
};

static_assert(offsetof(struct zl_leaf, page) == LEAF_PAGE, "sites.h");
static_assert(offsetof(struct zl_leaf, next) == LEAF_NEXT, "sites.h");
static_assert(offsetof(struct zl_leaf, patched) == LEAF_PATCHED, "sites.h");

extern struct zl_leaf *_Atomic zl_sites[1 << SITES_DIRECTORY_BITS];
extern _Atomic uintptr_t zl_sites_seen[SITES_SEEN];

/* acquire; pairs with the release in lazy/sites.c */
static inline struct zl_leaf *zl_leaf_find(uintptr_t after)
{
	uint64_t page = after / ZL_PAGE;
	struct zl_leaf *leaf = atomic_load_explicit(&zl_sites[page & ((1 << SITES_DIRECTORY_BITS) - 1)],
						    memory_order_acquire);
	while (leaf && leaf->page != page)
		leaf = atomic_load_explicit(&leaf->next, memory_order_acquire);
	return leaf;
}

static inline bool zl_site_bit(const _Atomic uint64_t *bits, uintptr_t after)
{
	unsigned bit = after % ZL_PAGE;
	return atomic_load_explicit(&bits[bit / 64], memory_order_acquire) >> bit % 64 & 1;
}

static inline bool zl_site_is_patched(uintptr_t after)
{
	const struct zl_leaf *leaf = zl_leaf_find(after);
	return leaf && zl_site_bit(leaf->patched, after);
}
#endif
#endif
