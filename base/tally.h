/* tally.h - the agent's side of the shared counters */
#ifndef ZL_BASE_TALLY_H
#define ZL_BASE_TALLY_H

#include "base/shared.h"
#include <stdatomic.h>

/* The file of ZLAZY_STATS, or this process's own memory. Set once at start. */
extern struct zl_shared *zl_shared;

static inline void zl_tally_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

#endif
