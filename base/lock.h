/* lock.h - a small mutual exclusion lock for the agent's own data
 *
 * Holders run agent code only, never hooks or the program, so a lock is held for microseconds. A signal that comes
 * meanwhile is noted without a lock (threads/deliver.c, zl_note): only what interrupts the program takes one. All
 * locks are taken before a fork, in the order of lock_all() in threads/child.c.
 */
#ifndef ZL_BASE_LOCK_H
#define ZL_BASE_LOCK_H

#include "base/raw.h"
#include <linux/futex.h>
#include <stdatomic.h>

enum { ZL_LOCK_FREE, ZL_LOCK_HELD, ZL_LOCK_WAITED };

struct zl_lock {
	_Atomic uint32_t state;
};

static inline bool zl_try_lock(struct zl_lock *lock)
{
	uint32_t expected = ZL_LOCK_FREE;
	return atomic_compare_exchange_strong_explicit(&lock->state, &expected, ZL_LOCK_HELD,
						       memory_order_acquire, memory_order_relaxed);
}

static inline void zl_lock(struct zl_lock *lock)
{
	if (zl_try_lock(lock))
		return;
	while (atomic_exchange_explicit(&lock->state, ZL_LOCK_WAITED, memory_order_acquire) != ZL_LOCK_FREE)
		zl_raw(__NR_futex, &lock->state, FUTEX_WAIT_PRIVATE, ZL_LOCK_WAITED, 0);
}

static inline void zl_unlock(struct zl_lock *lock)
{
	if (atomic_exchange_explicit(&lock->state, ZL_LOCK_FREE, memory_order_release) == ZL_LOCK_WAITED)
		zl_raw(__NR_futex, &lock->state, FUTEX_WAKE_PRIVATE, 1);
}

#endif
