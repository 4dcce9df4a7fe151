/* inject.h - builds with ZL_FAULT_INJECTION: what the agent asks of the kernel for itself can be made to fail
 *
 * ZLAZY_FAULT=NAME:N fails the Nth call of that name, NAME:* all of them, NAME:random=SEED/RATE one in RATE, by the
 * seed and the number of the call; with all: in the place of a name, of every name. Calls are counted per process; a
 * fork goes on with its parent's numbers, an exec begins anew. How many were made, and failed, is in the shared
 * counters, for `zlazy --stats`.
 */
#ifndef ZL_BASE_INJECT_H
#define ZL_BASE_INJECT_H

#include "base/shared.h"
#include "base/types.h"

#ifdef ZL_FAULT_INJECTION
/* 0, or the error with which this call has to fail. */
long zl_inject(enum zl_own_call call);
/* Take ZLAZY_FAULT; false if it is none of these forms. */
bool zl_inject_parse(const char *specification);
/* From now on count there, and add what was counted so far. */
void zl_inject_count_in(struct zl_own_calls *calls);
#define ZL_MAY_FAIL(call) do { long e_ = zl_inject(call); if (e_) return e_; } while (0)
#else
#define ZL_MAY_FAIL(call) ((void)0)
#endif

#endif
