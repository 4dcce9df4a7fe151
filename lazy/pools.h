/* pools.h - memory for stubs, near the code that they serve
 *
 * A page of code and one of data, so that a page of the program's that is copied to the next one has its jumps lead to
 * where nothing is executed (zl_stub_of_copy()).
 *
 * The code of all stubs of a pool is written before it becomes executable, and never changes: what differs is read from
 * the data behind it. Records are in other memory.
 */
#ifndef ZL_LAZY_POOLS_H
#define ZL_LAZY_POOLS_H

#include "lazy/near.h"
#include "lazy/stubs.h"

enum { ZL_STUB_SIZE = 32, ZL_POOL_SLOTS = 128 };
/* Where the instructions of a stub begin (stubs.h). */
enum { ZL_STUB_NUMBER = 0, ZL_STUB_SAVE = 7, ZL_STUB_AFTER = 16, ZL_STUB_JUMP = 23 };

/* What the code of a stub reads. The first slot holds the address of zl_entry_stub instead. */
struct zl_stub_data { uint64_t number, after; };

struct zl_pool {
	uintptr_t code;                /* or 0: there is none any more */
	struct zl_pool *next;
	unsigned used;                 /* slots, from the first one on */
	bool is_listed;
	struct zl_stub stub[ZL_POOL_SLOTS];
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

static inline bool zl_pool_is_near(const struct zl_pool *pool, uintptr_t address)
{
	return pool->code && zl_is_near(address, 1, pool->code, ZL_POOL_SIZE);
}

static inline uintptr_t zl_pool_stub(const struct zl_pool *pool, size_t slot)
{
	return pool->code + slot * ZL_STUB_SIZE;
}

static inline struct zl_stub_data *zl_pool_data(uintptr_t code, size_t slot)
{
	return (struct zl_stub_data *)(code + ZL_POOL_CODE) + slot;
}

/* A new one near an address, or with an old one's records; NULL if there is no memory. locks: zl_patch_lock */
struct zl_pool *zl_pool_add(uintptr_t address, struct zl_pool *old);
/* Give its code back. pre: no stub in it is of use. locks: zl_patch_lock */
void zl_pool_empty(struct zl_pool *pool);

#endif
