/* seccomp.h - the program's seccomp filters, as far as they bind the agent
 *
 * threads/seccomp.c keeps a copy of each filter that it sees installed. A thread's filters are a chain, newest first,
 * which its children go on; TSYNC puts every thread of the process on one chain. So that a filter never kills for
 * what the agent does, its calls are put to the chain first (zl_raw(), base/raw.h): what the kernel would not simply
 * let pass is not made, and answers -EACCES.
 *
 * Filters from before the agent's start are not known. A chain may be longer than the thread's real one (while a
 * filter is being installed; after TSYNC in a process that shares its memory with another): too careful, that is.
 */
#ifndef ZL_BASE_SECCOMP_H
#define ZL_BASE_SECCOMP_H

#include "base/types.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>

struct zl_block;
struct zl_seccomp {
	const struct zl_seccomp *previous;
	uint32_t depth;                    /* previous ? previous->depth + 1 : 1 */
	uint32_t length;
	bool forbids_patching;             /* this one, or one before */
	struct sock_filter code[];
};

/* Has any thread installed a filter? Never taken back. */
extern _Atomic bool zl_seccomp_is_used;
/* The chain that the last TSYNC put all threads on. */
extern const struct zl_seccomp *_Atomic zl_seccomp_synced;
/* Strict mode, in the form of a filter. */
extern const struct zl_seccomp zl_seccomp_strict;

/* The filters in force for a thread, or NULL. */
const struct zl_seccomp *zl_seccomp_of(const struct zl_block *block);
/* The same of the running thread. */
const struct zl_seccomp *zl_seccomp_here(void);

/* What the filters say to a call made at an instruction that ends at `after`: one of SECCOMP_RET_*, without data. */
uint32_t zl_seccomp_ask(const struct zl_seccomp *filters, uintptr_t after, long number, const long arg[6]);

/* Allowed, if only with an entry in the log? */
static inline bool zl_seccomp_passes(uint32_t action)
{
	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

/* Will the kernel end the thread, or send it SIGSYS? Also by an action that it does not know. */
static inline bool zl_seccomp_stops(uint32_t action)
{
	return !zl_seccomp_passes(action) && action != SECCOMP_RET_ERRNO && action != SECCOMP_RET_TRACE &&
	       action != SECCOMP_RET_USER_NOTIF;
}

/* Would zl_raw() make this call? */
bool zl_seccomp_lets(const struct zl_seccomp *filters, long number, long a, long b, long c);

#endif
