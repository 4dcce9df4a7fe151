/* call.h - what the owners of special calls share: the real call, and critical sections without signals */
#ifndef ZL_THREADS_CALL_H
#define ZL_THREADS_CALL_H

#include "base/raw.h"
#include "threads/sighand.h"
#include "trampoline/entry.h"

/* Did hook code make this call? Then no hook sees it, and no signal of the program is delivered at its end. */
bool zl_is_nested(const struct zl_frame *frame);

/* Make frame->call for the program. ZLAZY_INTERRUPTED (and frame->state) when a signal is due first. */
long zl_call_make(struct zl_frame *frame);
/* Make another call in its place, at the same gate. */
long zl_call_as(struct zl_frame *frame, long number, long a, long b, long c, long d, long e, long f);

/* Block every signal but faults: for agent code that may touch the program's memory. Returns what the kernel answers. */
static inline long zl_signals_close(void)
{
	const uint64_t closed = ~zl_fault_signals;
	return zl_raw(__NR_rt_sigprocmask, SIG_SETMASK, &closed, 0, sizeof(closed));
}

/* Block every signal, sent SIGSEGV and the like included: for a few steps that touch no memory of the program's, as a
 * fault kills. Returns false, with nothing changed, if one is noted already: the call is then to be made again
 * (zl_call_interrupted). Ended by zl_signals_open(). */
bool zl_signals_close_all(struct zl_block *block, const struct zl_frame *frame);
void zl_signals_open(struct zl_block *block);
/* The real mask that zl_signals_open() sets. */
uint64_t zl_signals_mask(const struct zl_block *block);
long zl_call_interrupted(struct zl_frame *frame);

/* One line a process for each thing that the program may not do. */
void zl_refused_once(_Atomic bool *is_said, const char *what);

#endif
