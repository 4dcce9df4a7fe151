/* leaves.c - the leaves of the bitmap
 *
 * Three ways to a leaf. Readers without a lock go by the directory (base/sites.h). What happens to a range of memory
 * finds its leaves in a search tree over the pages, a treap (Seidel and Aragon, 1996) whose priorities are hashes of
 * the page: O(log n + leaves found), whatever the length of the range. And because most ranges have no site in them, a
 * table of counters, one for all regions of 2 MiB with the same hash, says so without a lock. Beside it, the same of
 * who changes memory there.
 *
 * The first leaves are static, so that most programs never see a mapping of the agent's appear; later ones come in
 * pieces of anonymous memory. A leaf without sites stays where it is until MOST_IDLE others have none either: it still
 * knows what was dropped. Then it is used again, the first one first.
 */
#include "lazy/leaves.h"
#include "base/os.h"
#include "lazy/near.h"
#include <linux/errno.h>
#include "base/poison.h"

struct zl_leaf *_Atomic zl_sites[1 << SITES_DIRECTORY_BITS];
_Atomic uint32_t zl_leaves_turn;

enum { FIRST = 512, PIECE = 0x40000, LARGEST_PIECE = 0x1000000 };
enum { REGION_BITS = 9, REGIONS = 4096, MOST_REGIONS = 64, MOST_IDLE = 1024 };

static struct zl_leaf first[FIRST];
/* Those that have been idle, the first one first, by next_idle. One that is active again leaves when its turn comes. */
static struct zl_leaf *idle, **last_idle = &idle;
static unsigned idles;
static struct zl_leaf *root;                   /* low: smaller pages; high: larger; no child outranks its parent */
static _Atomic uint32_t regions[REGIONS];      /* active leaves */
/* How many are in, and above that how many have been. The last one: ranges of more than MOST_REGIONS. */
static _Atomic uint32_t entered[REGIONS + 1];
enum { ONE_IN = 1, IN_MASK = 0xffff, ONE_MORE = 0x10000 };

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

static struct zl_leaf *_Atomic *head_of(uint64_t page)
{
	return &zl_sites[page & ((1 << SITES_DIRECTORY_BITS) - 1)];
}

static _Atomic uint32_t *region_of(uint64_t page)
{
	return &regions[(page >> REGION_BITS) % REGIONS];
}

/* release; pairs with the acquire in zl_leaf_find_surely() */
static void turn(void)
{
	atomic_fetch_add_explicit(&zl_leaves_turn, 1, memory_order_acq_rel);
}

static void link_leaf(struct zl_leaf *leaf, uint64_t page)
{
	struct zl_leaf *_Atomic *head = head_of(page);
	struct zl_leaf **place;

	turn();
	atomic_store_explicit(&leaf->page, page, memory_order_relaxed);
	atomic_store_explicit(&leaf->next, atomic_load_explicit(head, memory_order_relaxed), memory_order_release);
	atomic_store_explicit(head, leaf, memory_order_release);   /* pairs with zl_leaf_find() */
	turn();
	place = place_of(leaf);
	split(*place, page, &leaf->low, &leaf->high);
	*place = leaf;
}

static void unlink_leaf(struct zl_leaf *leaf)
{
	struct zl_leaf *_Atomic *link = head_of(page_of(leaf));

	while (atomic_load_explicit(link, memory_order_relaxed) != leaf)
		link = &atomic_load_explicit(link, memory_order_relaxed)->next;
	turn();
	atomic_store_explicit(link, atomic_load_explicit(&leaf->next, memory_order_relaxed), memory_order_release);
	turn();
	join(place_of(leaf), leaf->low, leaf->high);
}

/* One that has been idle for long, or NULL. */
static struct zl_leaf *take_idle(void)
{
	while (idles > MOST_IDLE) {
		struct zl_leaf *leaf = idle;

		idle = leaf->next_idle;
		if (!idle)
			last_idle = &idle;
		idles--;
		leaf->is_queued = false;
		if (leaf->is_active)
			continue;
		unlink_leaf(leaf);
		for (unsigned i = 0; i < LEAF_WORDS; i++)
			atomic_store_explicit(&leaf->dropped[i], 0, memory_order_relaxed);
		return leaf;
	}
	return NULL;
}

/* Each piece is one more range of the agent's, so the more there are, the larger is the next one. */
static long map_piece(size_t *size)
{
	static size_t mapped;
	long piece = -ENOMEM;

	*size = mapped / 2 < LARGEST_PIECE ? zl_align_down(mapped / 2, PIECE) : LARGEST_PIECE;
	if (*size > PIECE)
		piece = zl_near_map((uintptr_t)first, *size);
	if (zl_is_error(piece)) {
		*size = PIECE;
		piece = zl_near_map((uintptr_t)first, *size);
	}
	if (zl_is_error(piece))
		return piece;
	zl_os_hide_from_dumps((uintptr_t)piece, *size);
	mapped += *size;
	return piece;
}

static struct zl_leaf *take_leaf(void)
{
	static struct zl_leaf *next = first, *end = first + FIRST;
	struct zl_leaf *leaf = take_idle();

	if (leaf)
		return leaf;
	if (next == end) {
		size_t size;
		long piece = map_piece(&size);
		if (zl_is_error(piece))
			return NULL;
		next = (struct zl_leaf *)piece;
		end = next + size / sizeof(struct zl_leaf);
	}
	return next++;
}

struct zl_leaf *zl_leaf_make(uintptr_t address)
{
	uint64_t page = address / ZL_PAGE;
	struct zl_leaf *leaf = zl_leaf_find(address);

	if (!leaf) {
		leaf = take_leaf();
		if (!leaf)
			return NULL;
		link_leaf(leaf, page);
	}
	if (!leaf->is_active)
		atomic_fetch_add(region_of(page), 1);   /* a full barrier: zl_leaves_are_quiet() comes after it */
	leaf->is_active = true;
	return leaf;
}

void zl_leaf_rest(struct zl_leaf *leaf)
{
	if (leaf->is_active)
		atomic_fetch_sub_explicit(region_of(page_of(leaf)), 1, memory_order_relaxed);
	leaf->is_active = false;
	if (leaf->is_queued)
		return;
	leaf->is_queued = true;
	leaf->next_idle = NULL;
	*last_idle = leaf;
	last_idle = &leaf->next_idle;
	idles++;
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

/* The regions of a range that is not empty; false if there are too many. */
static bool regions_of(uintptr_t start, uintptr_t end, uint64_t *from, uint64_t *to)
{
	*from = start / ZL_PAGE >> REGION_BITS;
	*to = (end - 1) / ZL_PAGE >> REGION_BITS;
	return *to - *from < MOST_REGIONS;
}

bool zl_leaves_may_lie(uintptr_t start, uintptr_t end)
{
	uint64_t from, to;

	if (end <= start)
		return false;
	if (!regions_of(start, end, &from, &to))
		return true;
	for (; from <= to; from++)   /* acquire; pairs with zl_leaf_make() */
		if (atomic_load_explicit(&regions[from % REGIONS], memory_order_acquire))
			return true;
	return false;
}

/* A full barrier, so that who enters looks for leaves after it. */
static void count(uintptr_t start, uintptr_t end, uint32_t change)
{
	uint64_t from, to;

	if (end <= start)
		return;
	if (!regions_of(start, end, &from, &to))
		atomic_fetch_add(&entered[REGIONS], change);
	else
		for (; from <= to; from++)
			atomic_fetch_add(&entered[from % REGIONS], change);
}

void zl_leaves_enter(uintptr_t start, uintptr_t end)
{
	count(start, end, ONE_MORE + ONE_IN);
}

void zl_leaves_leave(uintptr_t start, uintptr_t end)
{
	count(start, end, -(uint32_t)ONE_IN);
}

static uint32_t entered_at(uintptr_t address)
{
	return atomic_load(&entered[(address / ZL_PAGE >> REGION_BITS) % REGIONS]);
}

uint64_t zl_leaves_stamp(uintptr_t site)
{
	return (uint64_t)atomic_load(&entered[REGIONS]) << 32 | (entered_at(site) ^ entered_at(site + 1) << 1);
}

bool zl_leaves_are_quiet(uintptr_t site, uint64_t stamp)
{
	return zl_leaves_stamp(site) == stamp &&
	       !((atomic_load(&entered[REGIONS]) | entered_at(site) | entered_at(site + 1)) & IN_MASK);
}

void zl_leaves_alone(void)
{
	for (unsigned i = 0; i <= REGIONS; i++)
		if (atomic_load_explicit(&entered[i], memory_order_relaxed))
			atomic_store_explicit(&entered[i], 0, memory_order_relaxed);
}

void zl_leaves_start(void)
{
	zl_os_hide_from_dumps((uintptr_t)zl_sites, sizeof(zl_sites));
	zl_os_hide_from_dumps((uintptr_t)first, sizeof(first));
}
