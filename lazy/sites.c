/* sites.c - writing side of the bitmap of sites
 *
 * A site is dropped with its memory, or when its bytes are put back. A thread may be on its way from there just then:
 * it has pushed its return address, and has not looked it up yet. It finds nothing and traps (zl_null_trap), and then
 * zl_site_was() tells it from a call of the program through NULL (lazy/trap.c). So what was dropped stays known, as
 * long as the leaf has no other use. (A site that jumps has no such moment: its stub stays what it was.)
 */
#include "lazy/sites.h"
#include "lazy/stubs.h"
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
	change_bit(leaf->patched, after, state == ZL_SITE_PATCHED);
	change_bit(leaf->open, after, state == ZL_SITE_OPEN);
	change_bit(leaf->jumped, after, state == ZL_SITE_JUMPED);
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
	if (zl_site_bit(leaf->jumped, after)) {
		change_bit(leaf->jumped, after, false);
		zl_stub_rest(after);
	}
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

/* The bytes of a site are those at after - 2 and after - 1. */
enum { FIRST_AFTER = 1, LAST_AFTER = 2 };

static bool drops_all(uintptr_t after, enum zl_site_state state)
{
	(void)after, (void)state;
	return true;
}

/* Is a byte of a rewritten site, or of what its jump has taken, in the range? */
static bool is_in(uintptr_t after, enum zl_site_state state, uintptr_t start, uintptr_t end)
{
	uintptr_t low, high;

	if (state != ZL_SITE_JUMPED)
		return after >= start + FIRST_AFTER && after < end + LAST_AFTER;
	zl_stub_extent(after, &low, &high);
	return low < end && high > start;
}

/* Returns whether the leaf has no site then. */
static bool drop_in(struct zl_leaf *leaf, uintptr_t start, uintptr_t end, bool (*drops)(uintptr_t, enum zl_site_state))
{
	uintptr_t base = leaf->page * ZL_PAGE;
	uint64_t rest = 0;

	for (unsigned i = 0; i < LEAF_WORDS; i++) {
		uint64_t within = bits_within(leaf, i, start + FIRST_AFTER, end + LAST_AFTER);
		uint64_t bits = ((leaf->patched[i] | leaf->open[i]) & within) | leaf->jumped[i];

		atomic_fetch_and_explicit(&leaf->refused[i], ~within, memory_order_release);
		for (; bits; bits &= bits - 1) {
			uintptr_t after = base + i * 64 + (unsigned)__builtin_ctzl(bits);
			enum zl_site_state state = zl_site_bit(leaf->jumped, after) ? ZL_SITE_JUMPED :
						   zl_site_bit(leaf->open, after) ? ZL_SITE_OPEN : ZL_SITE_PATCHED;
			if (is_in(after, state, start, end) && drops(after, state))
				zl_site_retract(leaf, after);
		}
		rest |= leaf->patched[i] | leaf->open[i] | leaf->jumped[i] | leaf->refused[i];
	}
	return rest == 0;
}

void zl_sites_drop(uintptr_t start, uintptr_t end, bool (*drops)(uintptr_t after, enum zl_site_state state))
{
	uintptr_t from = start < ZL_SITE_REACH ? 0 : start - ZL_SITE_REACH, to = end + ZL_SITE_REACH;
	struct zl_leaf *leaf, *next;

	for (leaf = zl_leaf_from(from / ZL_PAGE); leaf && leaf->page * ZL_PAGE < to; leaf = next) {
		next = zl_leaf_from(leaf->page + 1);
		if (drop_in(leaf, start, end, drops ? drops : drops_all))
			zl_leaf_rest(leaf);
	}
}
