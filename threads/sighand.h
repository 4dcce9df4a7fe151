/* sighand.h - the program's signal dispositions, which the kernel does not see */
#ifndef ZL_THREADS_SIGHAND_H
#define ZL_THREADS_SIGHAND_H

#include "base/block.h"
#include "base/lock.h"

enum { ZL_SIGNALS = 64 };
enum { ZL_SA_RESTORER = 0x04000000 };   /* which the user-space headers hide */

/* As the kernel lays it out for rt_sigaction. */
struct zl_action {
	uintptr_t handler;
	uint64_t flags;
	uintptr_t restorer;
	uint64_t mask;
};

/* One per group of threads that share dispositions (CLONE_SIGHAND). `action` under the lock; `handled` is a bit per
 * signal with a handler, written under the lock, read by any handler. */
struct zl_sighand {
	struct zl_lock lock;
	_Atomic uint32_t users;
	_Atomic uint64_t handled;
	_Atomic uint64_t lost;          /* agent's signals that a dying process has made default for the others, too */
	_Atomic bool spans_processes;   /* shared by CLONE_SIGHAND without CLONE_THREAD */
	struct zl_action action[ZL_SIGNALS];
};

static inline uint64_t zl_signal_bit(int signal)
{
	return 1UL << (signal - 1);
}

/* Signals whose kernel handler is always the agent's: blocked and ignored in the program's eyes only. */
extern _Atomic uint64_t zl_agent_signals;
/* Faults, which nobody can block. */
extern const uint64_t zl_fault_signals;

static inline uint64_t zl_real_mask(uint64_t virtual_mask)
{
	return virtual_mask & ~atomic_load_explicit(&zl_agent_signals, memory_order_relaxed);
}

/* The table of a new program image, dispositions as inherited; installs the agent's handlers. @init */
struct zl_sighand *zl_sighand_start(void);
/* What a noted signal holds back: what the program handles, less what must come at any time (faults, and SIGSYS for
 * the sites of hook code). */
static inline uint64_t zl_sighand_held(const struct zl_sighand *hand)
{
	return atomic_load(&hand->handled) & ~zl_fault_signals & ~zl_signal_bit(SIGSYS);
}

/* SIGILL becomes the agent's, for lazy/patch.c. Called before anything that shares memory is made: all processes of
 * this memory then have the handler, and nobody else has it blocked. */
void zl_sighand_claim_sigill(const struct zl_sighand *hand);
/* For a child: the same table, or a copy (NULL when there is no memory). */
struct zl_sighand *zl_sighand_share(struct zl_sighand *hand);
struct zl_sighand *zl_sighand_copy(struct zl_sighand *hand);
void zl_sighand_drop(struct zl_sighand *hand);
/* After CLONE_CLEAR_SIGHAND: handlers become default, here and, for the agent's signals, back in the kernel. */
void zl_sighand_clear(struct zl_sighand *hand);

/* What is to be done with a signal now; resets it if it has SA_RESETHAND and a handler and `take` is set. */
struct zl_action zl_sighand_get(struct zl_sighand *hand, int signal, bool take);
/* Let the kernel's default action happen from now on. */
void zl_sighand_default(struct zl_sighand *hand, int signal);
/* Take back what another process that shares the dispositions has given up to die. */
void zl_sighand_repair(struct zl_sighand *hand);
/* This thread is the only user of the table: the copy of a process. */
void zl_sighand_alone(struct zl_sighand *hand);
/* Before an execve, in the gate's mask: the agent's signals that the program ignores are ignored in the kernel too, as
 * far as no other thread needs the handlers. Undone by zl_sighand_stay(). */
void zl_sighand_leave(struct zl_sighand *hand);
void zl_sighand_stay(struct zl_sighand *hand);

#endif
