/* control.c - the thread control block that hook code has, in place of the program's
 *
 * Hooks have a libc of their own, but a thread has one fs, and what it points to is struct pthread of the program's
 * libc, with the thread-local variables of both. Shared, the hooks' libc would see pthread_cancel() of the program's,
 * and the program's pthread_setspecific() values; and there may be no such block at all (plain clone, another libc), or
 * another thread on the same (CLONE_VM without CLONE_SETTLS). So hook code gets a block of its own, and fs is switched
 * around it (agent/hooks.c): always for hooks with the default register policy; for ZLAZY_GENERAL_ONLY, whose calls
 * are to cost next to nothing, only on threads whose fs is no block of glibc's, or another thread's
 * (block->has_foreign_fs). At every gate, and outside of calls, fs is the program's.
 *
 * The block. agent/pattern.c lets ld.so initialise one at start, the pattern: static TLS of every object, the table of
 * objects (dtv), and behind them, in the same memory, what ld.so would allocate at the first access, with the program's
 * malloc(): the variables of hook libraries. Every other block is a copy with its pointers moved, made without ld.so, a
 * lock or a system call, at the first hooked call of the thread that needs it. It lies in the slot, and stays there for
 * the slot's next thread: then struct pthread and the hook libraries' variables are made new; those of libc's stay,
 * for they are its per-thread heap, which would be lost with each thread.
 *
 * Not a thread of the hooks' own pthread_create() whose block is borrowed: that works without GLIBC_PRIVATE names, but
 * the program would have a second thread for a moment (unshare(CLONE_NEWUSER) fails then, a filter may forbid clone).
 *
 * A block is in no list of libc's. So: no thread finds it but its own; robust mutexes in it are not seen by the kernel;
 * and static TLS of a library that a hook loads later (dlopen) is zero in it, not initialised.
 */
#include "threads/control.h"
#include "base/copy.h"
#include "base/os.h"
#include "base/string.h"
#include "threads/slots.h"
#include <linux/mman.h>
#include "base/poison.h"

struct zl_control_pattern zl_control_pattern;
struct zl_hook_libc zl_hook_libc;

enum { HEAD_SELF = 0, HEAD_THREAD = 2, HEAD_WORDS };   /* of struct pthread; HEAD_SELF + 1 is the dtv */

bool zl_control_is_glibc(uintptr_t fs)
{
	uintptr_t head[HEAD_WORDS];
	return fs && zl_copy_in(head, fs, sizeof(head)) && head[HEAD_SELF] == fs && head[HEAD_THREAD] == fs;
}

/* A word that points into the pattern points to the same place in the copy. */
static void copy_words(uintptr_t tp, intptr_t offset, size_t size)
{
	const struct zl_control_pattern *p = &zl_control_pattern;
	const uintptr_t *from = (const uintptr_t *)(p->tp + (uintptr_t)offset);
	uintptr_t *to = (uintptr_t *)(tp + (uintptr_t)offset);

	for (size_t i = 0; i < size / sizeof(*from); i++) {
		uintptr_t word = from[i];
		if (word - (p->tp - p->before) < p->before + p->after)
			word += tp - p->tp;
		if (to[i] != word)   /* pages of zeros stay untouched */
			to[i] = word;
	}
}

/* The slot's own room if that is enough, else memory that the slot keeps from now on. */
static uintptr_t find_room(struct zl_block *block)
{
	const struct zl_control_pattern *p = &zl_control_pattern;
	uintptr_t start = zl_slot_of(block) + SLOT_CONTROL;
	size_t below = zl_align_up(p->before, ZL_PAGE), size = below + p->page_offset + p->after;
	long memory;

	if (size > SLOT_BLOCK - SLOT_CONTROL) {
		memory = zl_os_map(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
		if (zl_is_error(memory))
			return 0;
		start = (uintptr_t)memory;
	}
	return start + below + p->page_offset;
}

static void renew(uintptr_t tp)
{
	const struct zl_control_pattern *p = &zl_control_pattern;
	size_t head = HEAD_WORDS * sizeof(uintptr_t);   /* stays; of it, ld.so may have changed the dtv */

	copy_words(tp, (intptr_t)head, p->tcb - head);
	for (unsigned i = 0; i < p->modules; i++)
		memcpy((void *)(tp + (uintptr_t)p->module[i].offset), (void *)(p->tp + (uintptr_t)p->module[i].offset),
		       p->module[i].size);
}

void zl_control_set_thread(struct zl_block *block, int32_t thread)
{
	if (block->is_control_ready)
		*(int32_t *)(block->control + zl_control_pattern.tid) = thread;
}

void zl_control_unlink(const struct zl_block *block)
{
	uintptr_t *links = (uintptr_t *)(block->control + zl_control_pattern.list);
	links[0] = links[1] = (uintptr_t)links;
}

uintptr_t zl_control_make(struct zl_block *block)
{
	const struct zl_control_pattern *p = &zl_control_pattern;
	uintptr_t fs;

	if (!p->tp)
		return 0;
	if (block->control) {
		renew(block->control);
	} else {
		block->control = find_room(block);
		if (!block->control)
			return 0;
		copy_words(block->control, -(intptr_t)p->before, p->before + p->tcb + p->dtv_used);
	}
	block->is_control_ready = true;
	zl_control_set_thread(block, zl_slot_first_frame(block)->call.thread);
	if (zl_hook_libc.begin_thread) {
		fs = zl_fs_read();
		zl_fs_set(block->control);
		zl_hook_libc.begin_thread();
		zl_fs_set(fs);
	}
	return block->control;
}
