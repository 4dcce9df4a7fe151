/* sites.h - the sparse bitmap of sites, reading side (lazy/sites.c and lazy/leaves.c are the only writers)
 *
 * A site is known by the address after its two bytes: the return address that `call *%rax` pushes, and the
 * si_call_addr of a trap. The directory has one chain per 4 KiB page number modulo its size; a leaf holds a few bits
 * per byte of one page. Nothing depends on the width of an address. Only touched pages of the directory and leaves
 * that exist cost memory.
 *
 * Leaves are published by a release store; a bit is set before the bytes of the site change, so who executes the new
 * bytes finds it. A leaf without sites serves another page some day. Its memory stays a leaf for ever, so a reader
 * that is just passing may be led into another chain, and miss what is there; then zl_leaves_turn tells. entry.S
 * doesn't look at that: what it misses, it traps for.
 *
 * zl_sites_seen saves entry.S most walks: a rewritten site's address at its own value modulo the size, the last one
 * rewritten where several meet. What is there is in the bitmap too. Open sites are never there: their bytes have to be
 * looked at.
 */
#ifndef ZL_BASE_SITES_H
#define ZL_BASE_SITES_H

#define SITES_DIRECTORY_BITS 16
#define SITES_SEEN	4096
#define LEAF_PAGE	0
#define LEAF_NEXT	8
#define LEAF_PATCHED	16
#define LEAF_OPEN	528

#ifndef __ASSEMBLER__
#include "base/types.h"
#include <stdatomic.h>

enum { LEAF_WORDS = ZL_PAGE / 64 };

struct zl_leaf {
	_Atomic uint64_t page;                  /* address >> 12 */
	struct zl_leaf *_Atomic next;
	_Atomic uint64_t patched[LEAF_WORDS];   /* rewritten to `call *%rax` */
	_Atomic uint64_t open[LEAF_WORDS];      /* the same, in memory that the program can write: `mov $number,%eax` must
						 * still stand before it. Never patched as well */
	_Atomic uint64_t jumped[LEAF_WORDS];    /* rewritten to a jump, which never comes through page zero. Neither of
						 * the others as well */
	_Atomic uint64_t refused[LEAF_WORDS];   /* judged, and left to trap */
	_Atomic uint64_t dropped[LEAF_WORDS];   /* was rewritten, and is not any more */
	struct zl_leaf *low, *high, *next_idle; /* the rest: lazy/leaves.c */
	bool is_active, is_queued;
};

static_assert(offsetof(struct zl_leaf, page) == LEAF_PAGE, "sites.h");
static_assert(offsetof(struct zl_leaf, next) == LEAF_NEXT, "sites.h");
static_assert(offsetof(struct zl_leaf, patched) == LEAF_PATCHED, "sites.h");
static_assert(offsetof(struct zl_leaf, open) == LEAF_OPEN, "sites.h");

extern struct zl_leaf *_Atomic zl_sites[1 << SITES_DIRECTORY_BITS];
extern _Atomic uintptr_t zl_sites_seen[SITES_SEEN];
/* Odd while a leaf changes its page. */
extern _Atomic uint32_t zl_leaves_turn;

/* acquire; pairs with the release in lazy/leaves.c */
static inline struct zl_leaf *zl_leaf_find(uintptr_t after)
{
	uint64_t page = after / ZL_PAGE;
	struct zl_leaf *leaf = atomic_load_explicit(&zl_sites[page & ((1 << SITES_DIRECTORY_BITS) - 1)],
						    memory_order_acquire);
	while (leaf && atomic_load_explicit(&leaf->page, memory_order_relaxed) != page)
		leaf = atomic_load_explicit(&leaf->next, memory_order_acquire);
	return leaf;
}

static inline bool zl_site_bit(const _Atomic uint64_t *bits, uintptr_t after)
{
	unsigned bit = after % ZL_PAGE;
	return atomic_load_explicit(&bits[bit / 64], memory_order_acquire) >> bit % 64 & 1;
}

/* The leaf, though others may just be moved. */
static inline struct zl_leaf *zl_leaf_find_surely(uintptr_t after)
{
	struct zl_leaf *leaf;
	uint32_t turn;

	do {
		turn = atomic_load_explicit(&zl_leaves_turn, memory_order_acquire);
		leaf = zl_leaf_find(after);
	} while (!leaf && (turn % 2 || turn != atomic_load_explicit(&zl_leaves_turn, memory_order_acquire)));
	return leaf;
}

/* How a site that has been rewritten is recorded. */
enum zl_site_state { ZL_SITE_NONE, ZL_SITE_PATCHED, ZL_SITE_OPEN, ZL_SITE_JUMPED };

/* No lock. */
static inline enum zl_site_state zl_site_state(uintptr_t after)
{
	const struct zl_leaf *leaf = zl_leaf_find_surely(after);

	if (leaf && zl_site_bit(leaf->patched, after))
		return ZL_SITE_PATCHED;
	if (leaf && zl_site_bit(leaf->open, after))
		return ZL_SITE_OPEN;
	return leaf && zl_site_bit(leaf->jumped, after) ? ZL_SITE_JUMPED : ZL_SITE_NONE;
}

/* Was there a rewritten site until a while ago? No lock. */
static inline bool zl_site_was(uintptr_t after)
{
	const struct zl_leaf *leaf = zl_leaf_find_surely(after);
	return leaf && zl_site_bit(leaf->dropped, after);
}
#endif
#endif
