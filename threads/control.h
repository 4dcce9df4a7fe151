/* control.h - the thread control block that hook code has, in place of the program's */
#ifndef ZL_THREADS_CONTROL_H
#define ZL_THREADS_CONTROL_H

#include "base/block.h"
#include "base/fs.h"

enum { ZL_CONTROL_MODULES = 32 };

/* What a new thread's block looks like. Filled by agent/pattern.c at start, read-only afterwards. Offsets are from the
 * thread pointer:
 *
 *     -before                 0                        tcb                 after
 *     | modules' variables    | libc's struct pthread  | dtv, to the end   |
 */
struct zl_control_pattern {
	uintptr_t tp;           /* thread pointer of the pattern itself; 0: there is none */
	size_t before, after;
	size_t page_offset;     /* of a thread pointer in its page: what is used shares as few pages as can be */
	size_t tcb;             /* size of struct pthread */
	size_t tid, list;       /* where it has the thread's id, and its place in ld.so's lists of threads */
	size_t dtv_used;        /* bytes of the dtv that mean something */
	unsigned modules;       /* of hook libraries, less their libc: fresh in each thread */
	struct zl_control_module { intptr_t offset; size_t size; } module[ZL_CONTROL_MODULES];
};
extern struct zl_control_pattern zl_control_pattern;

/* Functions of the hook namespace's libc, NULL if it has none, and what it shares with the program's. Set by agent/. */
struct zl_hook_libc {
	void (*begin_thread)(void);     /* wants to be called on every new thread; general registers only, no system call */
	int (*fork)(void);              /* as threads/fork.c needs it */
	uintptr_t *threads;             /* ld.so's lists of threads; with fork */
};
extern struct zl_hook_libc zl_hook_libc;

/* Is this the control block of a thread of glibc's? It begins with two pointers to itself. */
bool zl_control_is_glibc(uintptr_t fs);

/* Make or renew the block's own one. Returns its thread pointer, 0 without pattern or memory. */
uintptr_t zl_control_make(struct zl_block *block);
/* The thread has another id now: the copy of a process. */
void zl_control_set_thread(struct zl_block *block, int32_t thread);
/* It is in no list of threads. */
void zl_control_unlink(const struct zl_block *block);

/* Thread pointer for hook code on this block's thread; 0: it has to do with the program's. */
static inline uintptr_t zl_control_of(struct zl_block *block)
{
	return zl_likely(block->is_control_ready) ? block->control : zl_control_make(block);
}

#endif
