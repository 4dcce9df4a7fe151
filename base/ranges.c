/* ranges.c - see ranges.h
 *
 * The words lie in blocks, the first static, the others mapped when they are needed; blocks and words in use only ever
 * become more (`used`), free words are used again. Adding is a compare-and-swap of a free word, so it needs no lock
 * either, and neither a fork nor the death of a vfork child finds anything half done.
 */
#include "base/ranges.h"
#include "base/inject.h"
#include "base/raw.h"
#include <linux/mman.h>
#include <stdatomic.h>
#include "base/poison.h"

enum { PAGES_BITS = 18, START_SHIFT = PAGES_BITS + 1, MOST_PAGES = (1 << PAGES_BITS) - 1, LONGEST = 4 * ZL_PAGE };
enum { WORDS = LONGEST / sizeof(uint64_t) - 2 };

struct words {
	struct words *_Atomic next;
	_Atomic unsigned used;          /* words from here on are free */
	_Atomic uint64_t word[WORDS];
};
static_assert(sizeof(struct words) == LONGEST, "whole pages");

static struct words first;

static uint64_t pack(uintptr_t start, uintptr_t end, enum zl_range_kind kind)
{
	return start / ZL_PAGE << START_SHIFT | (uint64_t)kind << PAGES_BITS | (end - start) / ZL_PAGE;
}

static uintptr_t start_of(uint64_t word)
{
	return (word >> START_SHIFT) * ZL_PAGE;
}

static uintptr_t end_of(uint64_t word)
{
	return start_of(word) + (word & MOST_PAGES) * ZL_PAGE;
}

static enum zl_range_kind kind_of(uint64_t word)
{
	return (enum zl_range_kind)(word >> PAGES_BITS & 1);
}

static unsigned used(struct words *w)
{
	/* acquire; pairs with raise_used() */
	return atomic_load_explicit(&w->used, memory_order_acquire);
}

static void raise_used(struct words *w, unsigned to)
{
	unsigned from = used(w);
	while (from < to && !atomic_compare_exchange_weak_explicit(&w->used, &from, to, memory_order_release,
								   memory_order_acquire))
		;
}

static bool put(struct words *w, uint64_t word)
{
	for (unsigned i = 0; i < WORDS; i++) {
		uint64_t none = 0;
		if (atomic_load_explicit(&w->word[i], memory_order_relaxed) == 0 &&
		    atomic_compare_exchange_strong(&w->word[i], &none, word)) {
			raise_used(w, i + 1);
			return true;
		}
	}
	return false;
}

/* Not by zl_os_map(), which would come back here. */
static long map_block(void)
{
	ZL_MAY_FAIL(ZL_OWN_MAP);
	return zl_raw(__NR_mmap, 0, sizeof(struct words), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* The block after this one, made if need be; it guards itself by its first word. */
static struct words *next_block(struct words *w)
{
	struct words *next = atomic_load_explicit(&w->next, memory_order_acquire), *none = NULL;
	long at;

	if (next)
		return next;
	at = map_block();
	if (zl_is_error(at))
		return NULL;
	next = (struct words *)at;
	put(next, pack((uintptr_t)at, (uintptr_t)at + sizeof(*w), ZL_RANGE_AGENT));
	/* release; pairs with the acquire above and in the loops */
	if (atomic_compare_exchange_strong(&w->next, &none, next))
		return next;
	zl_raw(__NR_munmap, at, sizeof(*w));
	return none;
}

static void add_word(uint64_t word)
{
	struct words *w = &first;
	while (w && !put(w, word))
		w = next_block(w);
}

void zl_ranges_add(uintptr_t start, uintptr_t end, enum zl_range_kind kind)
{
	start = zl_align_down(start, ZL_PAGE);
	end = zl_align_up(end, ZL_PAGE);
	while (start < end) {
		uintptr_t size = end - start < (uintptr_t)MOST_PAGES * ZL_PAGE ? end - start :
										 (uintptr_t)MOST_PAGES * ZL_PAGE;
		add_word(pack(start, start + size, kind));
		start += size;
	}
}

/* Cut [start, end) out of one word. What remains above is added before the word shrinks. */
static void cut(_Atomic uint64_t *at, uintptr_t start, uintptr_t end, enum zl_range_kind kind)
{
	uint64_t word = atomic_load_explicit(at, memory_order_acquire);
	uintptr_t low = start_of(word), high = end_of(word);

	if (!word || kind_of(word) != kind || low >= end || high <= start)
		return;
	if (low < start && high > end)
		add_word(pack(end, high, kind));
	if (low < start)
		atomic_compare_exchange_strong(at, &word, pack(low, start, kind));
	else
		atomic_compare_exchange_strong(at, &word, high > end ? pack(end, high, kind) : 0);
}

void zl_ranges_remove(uintptr_t start, uintptr_t end, enum zl_range_kind kind)
{
	start = zl_align_down(start, ZL_PAGE);
	end = zl_align_up(end, ZL_PAGE);
	for (struct words *w = &first; w; w = atomic_load_explicit(&w->next, memory_order_acquire))
		for (unsigned i = 0; i < used(w); i++)
			cut(&w->word[i], start, end, kind);
}

bool zl_ranges_find(uintptr_t start, uintptr_t end, enum zl_range_kind kinds, struct zl_range *found)
{
	found->start = found->end = end;
	for (struct words *w = &first; w; w = atomic_load_explicit(&w->next, memory_order_acquire))
		for (unsigned i = 0, n = used(w); i < n; i++) {
			uint64_t word = atomic_load_explicit(&w->word[i], memory_order_acquire);
			uintptr_t low = start_of(word), high = end_of(word);
			if (low >= found->start || high <= start || kind_of(word) >= kinds || !word)
				continue;
			found->start = low > start ? low : start;
			found->end = high < end ? high : end;
		}
	return found->start < end;
}

void zl_ranges_each(void (*function)(uintptr_t start, uintptr_t end, void *data), void *data)
{
	for (struct words *w = &first; w; w = atomic_load_explicit(&w->next, memory_order_acquire))
		for (unsigned i = 0; i < used(w); i++) {
			uint64_t word = atomic_load_explicit(&w->word[i], memory_order_acquire);
			if (word)
				function(start_of(word), end_of(word), data);
		}
}
