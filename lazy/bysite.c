/* bysite.c - see bysite.h
 *
 * A hash table of chains. When it has more stubs than FULL for each chain, one with four times as many takes its
 * place, so that chains stay short. Readers without a lock may be in any of the tables, so the old ones stay: all
 * together they are a third of the newest.
 */
#include "lazy/bysite.h"
#include "base/os.h"
#include "lazy/near.h"
#include "base/poison.h"

enum { FIRST_BITS = 10, MORE_BITS = 2, LEVELS = 6, FULL = 2 };

static struct zl_stub *_Atomic smallest[1 << FIRST_BITS];
static struct zl_stub *_Atomic *tables[LEVELS] = { smallest };
static _Atomic unsigned level;      /* the table in use */
static size_t stubs;
static _Atomic uint32_t turn;       /* odd while a chain is being changed */

static unsigned bits_of(unsigned at_level)
{
	return FIRST_BITS + MORE_BITS * at_level;
}

static struct zl_stub *_Atomic *chain_of(uintptr_t after)
{
	/* acquire; pairs with the release in grow() */
	unsigned now = atomic_load_explicit(&level, memory_order_acquire);
	return &tables[now][after * 0x9e3779b97f4a7c15 >> (64 - bits_of(now))];   /* Knuth's multiplicative hash */
}

static void take_turn(void)
{
	atomic_fetch_add_explicit(&turn, 1, memory_order_acq_rel);
}

uint32_t zl_bysite_turn(void)
{
	return atomic_load_explicit(&turn, memory_order_acquire);
}

bool zl_bysite_is_quiet(uint32_t since)
{
	atomic_thread_fence(memory_order_acquire);
	return since % 2 == 0 && since == atomic_load_explicit(&turn, memory_order_relaxed);
}

struct zl_stub *zl_bysite_first(uintptr_t after)
{
	return atomic_load_explicit(chain_of(after), memory_order_acquire);   /* pairs with the release in link() */
}

static void link(struct zl_stub *_Atomic *to, struct zl_stub *stub)
{
	atomic_store_explicit(&stub->next_same, atomic_load_explicit(to, memory_order_relaxed), memory_order_release);
	atomic_store_explicit(to, stub, memory_order_release);
}

static void unlink(struct zl_stub *_Atomic *from, struct zl_stub *stub)
{
	while (atomic_load_explicit(from, memory_order_relaxed) != stub)
		from = &atomic_load_explicit(from, memory_order_relaxed)->next_same;
	atomic_store_explicit(from, atomic_load_explicit(&stub->next_same, memory_order_relaxed), memory_order_release);
}

/* All that is there, from the table before. */
static void move(struct zl_stub *_Atomic *from, size_t chains)
{
	for (size_t i = 0; i < chains; i++) {
		struct zl_stub *stub = atomic_load_explicit(&from[i], memory_order_relaxed), *next;

		for (; stub; stub = next) {
			next = atomic_load_explicit(&stub->next_same, memory_order_relaxed);
			link(chain_of(stub->after), stub);
		}
	}
}

/* Without memory the chains just become longer, and there is no new try before there are twice as many stubs. */
static void grow(void)
{
	static size_t least;
	unsigned now = atomic_load_explicit(&level, memory_order_relaxed);
	size_t size = sizeof(smallest[0]) << bits_of(now + 1);
	long at;

	if (now + 1 == LEVELS || stubs < least)
		return;
	at = zl_near_map((uintptr_t)smallest, size);
	if (zl_is_error(at)) {
		least = 2 * stubs;
		return;
	}
	zl_os_hide_from_dumps((uintptr_t)at, size);
	tables[now + 1] = (struct zl_stub *_Atomic *)at;
	take_turn();
	atomic_store_explicit(&level, now + 1, memory_order_release);
	move(tables[now], 1UL << bits_of(now));
	take_turn();
}

void zl_bysite_add(struct zl_stub *stub)
{
	if (++stubs > (size_t)FULL << bits_of(atomic_load_explicit(&level, memory_order_relaxed)))
		grow();
	take_turn();
	link(chain_of(stub->after), stub);
	take_turn();
}

void zl_bysite_remove(struct zl_stub *stub)
{
	stubs--;
	take_turn();
	unlink(chain_of(stub->after), stub);
	take_turn();
}
