/* pools.h - memory for stubs, near the code that they serve
 *
 * A pool is one or more pieces: a page of code and one of data, in turn, so that a page of the program's that is copied
 * to the next one has its jumps lead to where nothing is executed (zl_stub_of_copy()).
 *
 * The code of all stubs of a pool is written before it becomes executable, and never changes: what differs is read from
 * the data behind it. Records are in other memory.
 *
 * Who looks for a pool goes through all of them. So the more stubs there are, the larger the next pool is.
 */
#ifndef ZL_LAZY_POOLS_H
#define ZL_LAZY_POOLS_H

#include "lazy/near.h"
#include "lazy/stubs.h"

enum { ZL_STUB_SIZE = 32, ZL_POOL_SLOTS = 128 };
/* Where the instructions of a stub begin (stubs.h). */
enum { ZL_STUB_NUMBER = 0, ZL_STUB_SAVE = 7, ZL_STUB_AFTER = 16, ZL_STUB_JUMP = 23 };

/* What the code of a stub reads. The first slot of a piece holds the address of zl_entry_stub instead. */
struct zl_stub_data { uint64_t number, after; };

struct zl_pool {
	uintptr_t code;                /* or 0: there is none any more */
	struct zl_pool *next;
	unsigned slots;                /* ZL_POOL_SLOTS for each piece */
	unsigned used;                 /* of them, from the first one on */
	bool is_listed;
	struct zl_stub stub[];
};

enum {
	ZL_POOL_CODE = ZL_POOL_SLOTS * ZL_STUB_SIZE,
	ZL_POOL_SIZE = 2 * ZL_PAGE,
};

/* All that there are, through next. acquire; pairs with the release in zl_pool_add() */
extern struct zl_pool *_Atomic zl_pools;
static inline struct zl_pool *zl_pools_first(void)
{
	return atomic_load_explicit(&zl_pools, memory_order_acquire);
}

static inline size_t zl_pool_size(const struct zl_pool *pool)
{
	return pool->slots / ZL_POOL_SLOTS * ZL_POOL_SIZE;
}

static inline bool zl_pool_is_near(const struct zl_pool *pool, uintptr_t address)
{
	return pool->code && zl_is_near(address, 1, pool->code, zl_pool_size(pool));
}

static inline uintptr_t zl_pool_stub(const struct zl_pool *pool, size_t slot)
{
	return pool->code + slot / ZL_POOL_SLOTS * ZL_POOL_SIZE + slot % ZL_POOL_SLOTS * ZL_STUB_SIZE;
}

/* The slot whose code pc lies in; the first of its piece if it lies in none's, 0 outside. */
static inline size_t zl_pool_slot(const struct zl_pool *pool, uintptr_t pc)
{
	uintptr_t offset = pc - pool->code;

	if (!pool->code || offset >= zl_pool_size(pool) || offset % ZL_POOL_SIZE >= ZL_POOL_CODE)
		return 0;
	return offset / ZL_POOL_SIZE * ZL_POOL_SLOTS + offset % ZL_POOL_SIZE / ZL_STUB_SIZE;
}

/* Of a stub at `slot`, as zl_pool_stub() has it. */
static inline struct zl_stub_data *zl_pool_data(uintptr_t slot)
{
	uintptr_t piece = zl_align_down(slot, ZL_PAGE);
	return (struct zl_stub_data *)(piece + ZL_POOL_CODE) + (slot - piece) / ZL_STUB_SIZE;
}

/* A new one near an address, or with an old one's records; NULL if there is no memory. locks: zl_patch_lock */
struct zl_pool *zl_pool_add(uintptr_t address, struct zl_pool *old);
/* Give its code back. pre: no stub in it is of use. locks: zl_patch_lock */
void zl_pool_empty(struct zl_pool *pool);

#endif
