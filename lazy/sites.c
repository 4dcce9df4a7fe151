/* sites.c - writing side of the bitmap of sites
 *
 * Leaves stay for ever: a reader may hold any of them. The first ones are static, so that most programs never see
 * a mapping of the agent's appear; later ones come in pieces of anonymous memory.
 */
#include "lazy/sites.h"
#include "base/os.h"
#include <linux/mman.h>
#include "base/poison.h"

struct zl_leaf *_Atomic zl_sites[1 << SITES_DIRECTORY_BITS];
/* An empty entry holds what never looks there: 1 in the first, 0 elsewhere. */
_Atomic uintptr_t zl_sites_seen[SITES_SEEN] = { 1 };

enum { FIRST = 512, PIECE = 0x40000 };
static struct zl_leaf first[FIRST];

static struct zl_leaf *take_leaf(void)
{
	static struct zl_leaf *next = first, *end = first + FIRST;

	if (next == end) {
		long piece = zl_os_map(0, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
		if (zl_is_error(piece))
			return NULL;
		zl_os_hide_from_dumps((uintptr_t)piece, PIECE);
		next = (struct zl_leaf *)piece;
		end = next + PIECE / sizeof(struct zl_leaf);
	}
	return next++;
}

void zl_sites_start(void)
{
	zl_os_hide_from_dumps((uintptr_t)zl_sites, sizeof(zl_sites));
	zl_os_hide_from_dumps((uintptr_t)first, sizeof(first));
}

struct zl_leaf *zl_leaf_make(uintptr_t after)
{
	uint64_t page = after / ZL_PAGE;
	struct zl_leaf *_Atomic *head = &zl_sites[page & ((1 << SITES_DIRECTORY_BITS) - 1)];
	struct zl_leaf *leaf = zl_leaf_find(after);

	if (leaf || !(leaf = take_leaf()))
		return leaf;
	leaf->page = page;
	atomic_store_explicit(&leaf->next, atomic_load_explicit(head, memory_order_relaxed), memory_order_relaxed);
	atomic_store_explicit(head, leaf, memory_order_release);   /* pairs with zl_leaf_find() */
	return leaf;
}

static void change_bit(_Atomic uint64_t *bits, uintptr_t after, bool value)
{
	unsigned bit = after % ZL_PAGE;
	if (value)   /* release; pairs with the acquire in zl_site_bit(), and with x86's order of loads in entry.S */
		atomic_fetch_or_explicit(&bits[bit / 64], 1UL << bit % 64, memory_order_release);
	else
		atomic_fetch_and_explicit(&bits[bit / 64], ~(1UL << bit % 64), memory_order_release);
}

void zl_site_publish(struct zl_leaf *leaf, uintptr_t after)
{
	change_bit(leaf->refused, after, false);
	change_bit(leaf->patched, after, true);
	atomic_store_explicit(&zl_sites_seen[after % SITES_SEEN], after, memory_order_release);
}

void zl_site_retract(struct zl_leaf *leaf, uintptr_t after)
{
	uintptr_t seen = after;
	atomic_compare_exchange_strong(&zl_sites_seen[after % SITES_SEEN], &seen, after % SITES_SEEN == 0);
	change_bit(leaf->patched, after, false);
}

void zl_site_refuse(struct zl_leaf *leaf, uintptr_t after)
{
	zl_site_retract(leaf, after);   /* of code that was there before */
	change_bit(leaf->refused, after, true);
}
