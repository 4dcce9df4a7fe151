/* leaves.c - the leaves of the bitmap
 *
 * Three ways to a leaf. Readers without a lock go by the directory (base/sites.h). What happens to a range of memory finds
 * its leaves in a search tree over the pages, a treap (Seidel and Aragon, 1996) whose priorities are hashes of the page:
 * O(log n + leaves found), whatever the length of the range. And because most ranges have no site in them, a table of
 * counters, one for all regions of 2 MiB with the same hash, says so without a lock.
 *
 * The first leaves are static, so that most programs never see a mapping of the agent's appear; later ones come in pieces
 * of anonymous memory. Leaves that are given back are used again, the last one first.
 */
#include "lazy/leaves.h"
#include "base/os.h"
#include <linux/mman.h>
#include "base/poison.h"

struct zl_leaf *_Atomic zl_sites[1 << SITES_DIRECTORY_BITS];
_Atomic uint32_t zl_leaves_turn;

enum { FIRST = 512, PIECE = 0x40000 };
enum { REGION_BITS = 9, REGIONS = 4096, MOST_REGIONS = 64 };

static struct zl_leaf first[FIRST];
static struct zl_leaf *free_leaves;            /* by low */
static struct zl_leaf *root;                   /* low: smaller pages; high: larger; no child outranks its parent */
static _Atomic uint32_t regions[REGIONS];

static uint64_t page_of(const struct zl_leaf *leaf)
{
	return atomic_load_explicit(&leaf->page, memory_order_relaxed);
}

static uint64_t rank_of(const struct zl_leaf *leaf)
{
	return page_of(leaf) * 0x9e3779b97f4a7c15;   /* Knuth's multiplicative hash */
}

/* Put the tree's leaves below the page into *low, the others into *high. */
static void split(struct zl_leaf *tree, uint64_t page, struct zl_leaf **low, struct zl_leaf **high)
{
	while (tree) {
		if (page_of(tree) < page) {
			*low = tree;
			low = &tree->high;
			tree = tree->high;
		} else {
			*high = tree;
			high = &tree->low;
			tree = tree->low;
		}
	}
	*low = *high = NULL;
}

/* Every page in low is below every one in high. */
static void join(struct zl_leaf **to, struct zl_leaf *low, struct zl_leaf *high)
{
	while (low && high) {
		if (rank_of(low) > rank_of(high)) {
			*to = low;
			to = &low->high;
			low = low->high;
		} else {
			*to = high;
			to = &high->low;
			high = high->low;
		}
	}
	*to = low ? low : high;
}

/* Where in the tree a leaf of this page and rank is, or belongs. */
static struct zl_leaf **place_of(const struct zl_leaf *leaf)
{
	struct zl_leaf **place = &root;

	while (*place && *place != leaf && rank_of(*place) >= rank_of(leaf))
		place = page_of(*place) < page_of(leaf) ? &(*place)->high : &(*place)->low;
	return place;
}

static struct zl_leaf *take_leaf(void)
{
	static struct zl_leaf *next = first, *end = first + FIRST;
	struct zl_leaf *leaf = free_leaves;

	if (leaf) {
		free_leaves = leaf->low;
		return leaf;
	}
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

static struct zl_leaf *_Atomic *head_of(uint64_t page)
{
	return &zl_sites[page & ((1 << SITES_DIRECTORY_BITS) - 1)];
}

static _Atomic uint32_t *region_of(uint64_t page)
{
	return &regions[(page >> REGION_BITS) % REGIONS];
}

/* release; pairs with the acquire in zl_site_state() */
static void turn(void)
{
	atomic_fetch_add_explicit(&zl_leaves_turn, 1, memory_order_acq_rel);
}

struct zl_leaf *zl_leaf_make(uintptr_t address)
{
	uint64_t page = address / ZL_PAGE;
	struct zl_leaf *_Atomic *head = head_of(page);
	struct zl_leaf *leaf = zl_leaf_find(address), **place;

	if (leaf || !(leaf = take_leaf()))
		return leaf;
	turn();
	atomic_store_explicit(&leaf->page, page, memory_order_relaxed);
	atomic_store_explicit(&leaf->next, atomic_load_explicit(head, memory_order_relaxed), memory_order_release);
	atomic_store_explicit(head, leaf, memory_order_release);   /* pairs with zl_leaf_find() */
	turn();
	place = place_of(leaf);
	split(*place, page, &leaf->low, &leaf->high);
	*place = leaf;
	atomic_fetch_add_explicit(region_of(page), 1, memory_order_release);   /* pairs with zl_leaves_may_lie() */
	return leaf;
}

void zl_leaf_free(struct zl_leaf *leaf)
{
	uint64_t page = page_of(leaf);
	struct zl_leaf *_Atomic *link = head_of(page);

	while (atomic_load_explicit(link, memory_order_relaxed) != leaf)
		link = &atomic_load_explicit(link, memory_order_relaxed)->next;
	turn();
	atomic_store_explicit(link, atomic_load_explicit(&leaf->next, memory_order_relaxed), memory_order_release);
	turn();
	join(place_of(leaf), leaf->low, leaf->high);
	atomic_fetch_sub_explicit(region_of(page), 1, memory_order_relaxed);
	leaf->low = free_leaves;
	free_leaves = leaf;
}

struct zl_leaf *zl_leaf_from(uint64_t page)
{
	struct zl_leaf *found = NULL;

	for (struct zl_leaf *leaf = root; leaf;)
		if (page_of(leaf) >= page) {
			found = leaf;
			leaf = leaf->low;
		} else {
			leaf = leaf->high;
		}
	return found;
}

bool zl_leaves_may_lie(uintptr_t start, uintptr_t end)
{
	uint64_t from = start / ZL_PAGE >> REGION_BITS, to = (end - 1) / ZL_PAGE >> REGION_BITS;

	if (end <= start)
		return false;
	if (to - from >= MOST_REGIONS)
		return true;
	for (; from <= to; from++)   /* acquire; pairs with zl_leaf_make() */
		if (atomic_load_explicit(&regions[from % REGIONS], memory_order_acquire))
			return true;
	return false;
}

void zl_leaves_start(void)
{
	zl_os_hide_from_dumps((uintptr_t)zl_sites, sizeof(zl_sites));
	zl_os_hide_from_dumps((uintptr_t)first, sizeof(first));
}
