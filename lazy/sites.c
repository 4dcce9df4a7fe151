/* sites.c - writing side of the bitmap of sites
 *
 * A site is dropped with its memory, or when its bytes are put back. A thread may be on its way from there just then:
 * it has pushed its return address, and has not looked it up yet. It finds nothing and traps (zl_null_trap), and then
 * zl_site_was() tells it from a call of the program through NULL (lazy/trap.c). So what was dropped stays known, as
 * long as the leaf has no other use.
 */
#include "lazy/sites.h"
#include "base/poison.h"

/* An empty entry holds what never looks there: 1 in the first, 0 elsewhere. */
_Atomic uintptr_t zl_sites_seen[SITES_SEEN] = { 1 };

static void change_bit(_Atomic uint64_t *bits, uintptr_t after, bool value)
{
	unsigned bit = after % ZL_PAGE;
	if (value)   /* release; pairs with the acquire in zl_site_bit(), and with x86's order of loads in entry.S */
		atomic_fetch_or_explicit(&bits[bit / 64], 1UL << bit % 64, memory_order_release);
	else
		atomic_fetch_and_explicit(&bits[bit / 64], ~(1UL << bit % 64), memory_order_release);
}

void zl_site_publish(struct zl_leaf *leaf, uintptr_t after, enum zl_site_state state)
{
	change_bit(leaf->refused, after, false);
	change_bit(state == ZL_SITE_OPEN ? leaf->patched : leaf->open, after, false);
	change_bit(state == ZL_SITE_OPEN ? leaf->open : leaf->patched, after, true);
	change_bit(leaf->dropped, after, false);   /* last: who misses this has found that */
	if (state == ZL_SITE_PATCHED)
		atomic_store_explicit(&zl_sites_seen[after % SITES_SEEN], after, memory_order_release);
}

void zl_site_retract(struct zl_leaf *leaf, uintptr_t after)
{
	uintptr_t seen = after;

	if (zl_site_bit(leaf->patched, after) || zl_site_bit(leaf->open, after))
		change_bit(leaf->dropped, after, true);   /* first: who misses it then finds this */
	atomic_compare_exchange_strong(&zl_sites_seen[after % SITES_SEEN], &seen, after % SITES_SEEN == 0);
	change_bit(leaf->patched, after, false);
	change_bit(leaf->open, after, false);
}

void zl_site_refuse(struct zl_leaf *leaf, uintptr_t after)
{
	zl_site_retract(leaf, after);   /* of code that was there before */
	change_bit(leaf->refused, after, true);
}

/* The bits of word i of the leaf whose addresses lie in [from, to). */
static uint64_t bits_within(const struct zl_leaf *leaf, unsigned i, uintptr_t from, uintptr_t to)
{
	uintptr_t base = atomic_load_explicit(&leaf->page, memory_order_relaxed) * ZL_PAGE + i * 64;
	uint64_t bits = ~0UL;

	if (base + 64 <= from || base >= to)
		return 0;
	if (base < from)
		bits &= ~0UL << (from - base);
	if (base + 64 > to)
		bits &= ~0UL >> (base + 64 - to);
	return bits;
}

/* Returns whether the leaf has no site then. */
static bool drop_in(struct zl_leaf *leaf, uintptr_t from, uintptr_t to, bool (*drops)(uintptr_t, enum zl_site_state))
{
	uintptr_t base = leaf->page * ZL_PAGE;
	uint64_t rest = 0;

	for (unsigned i = 0; i < LEAF_WORDS; i++) {
		uint64_t within = bits_within(leaf, i, from, to);

		atomic_fetch_and_explicit(&leaf->refused[i], ~within, memory_order_release);
		for (uint64_t bits = (leaf->patched[i] | leaf->open[i]) & within; bits; bits &= bits - 1) {
			uintptr_t after = base + i * 64 + (unsigned)__builtin_ctzl(bits);
			if (!drops || drops(after, zl_site_bit(leaf->open, after) ? ZL_SITE_OPEN : ZL_SITE_PATCHED))
				zl_site_retract(leaf, after);
		}
		rest |= leaf->patched[i] | leaf->open[i] | leaf->refused[i];
	}
	return rest == 0;
}

/* The bytes of a site are those at after - 2 and after - 1. */
enum { FIRST_AFTER = 1, LAST_AFTER = 2 };

void zl_sites_drop(uintptr_t start, uintptr_t end, bool (*drops)(uintptr_t after, enum zl_site_state state))
{
	uintptr_t from = start + FIRST_AFTER, to = end + LAST_AFTER;
	struct zl_leaf *leaf, *next;

	for (leaf = zl_leaf_from(from / ZL_PAGE); leaf && leaf->page * ZL_PAGE < to; leaf = next) {
		next = zl_leaf_from(leaf->page + 1);
		if (drop_in(leaf, from, to, drops))
			zl_leaf_rest(leaf);
	}
}
