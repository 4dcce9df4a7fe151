/* fork.c - clone without CLONE_VM: the copy of a process, with the hooks' libc prepared for it
 *
 * The copy has its parent's block and stacks. It returns from the gate as the parent does, arms itself, and leaves by
 * the exit of the call's frame, past the hooks.
 *
 * The hooks' libc. Another thread may be in a hook, and hold a lock of that libc's (malloc, stdio) or of the hook
 * library's, for ever in the child. So the agent calls that libc's fork(), which takes its locks and runs the handlers
 * of pthread_atfork(). The clone that it makes comes here as a nested call; the program's is made in its place,
 * and in parent and child fork() goes on with the result:
 *
 *     zl_own_clone -> zl_fork -> run_libc -> fork() -> its clone: zl_own_clone -> zl_fork_inner -> make_copy -> gate
 *
 * The child's half of fork() takes its libc for the only one. It would give the stacks of all threads in ld.so's lists
 * to the next pthread_create(), that of the program's thread, which is running, too: it is shown empty lists. And it
 * would tell the kernel of its list of robust mutexes: that call is answered, not made (owners.c).
 *
 * Lock order: what fork() takes, then the agent's, which no thread holds while it runs code of a libc.
 */
#include "threads/child.h"
#include "base/fs.h"
#include "base/raw.h"
#include "base/seccomp.h"
#include "base/sites.h"
#include "base/string.h"
#include "base/tally.h"
#include "lazy/codefd.h"
#include "lazy/patch.h"
#include "lazy/trap.h"
#include "threads/call.h"
#include "threads/control.h"
#include "threads/sighand.h"
#include "threads/slots.h"
#include "threads/target.h"
#include "threads/vsud.h"
#include <linux/errno.h>
#include <linux/sched.h>
#include "base/poison.h"

/* Of struct rtld_global, glibc 2.34 and later: heads of the lists of threads in use on stacks of libc's and of the
 * program's, head of the free stacks, their size, and what a thread was doing to one of them. The last two belong to
 * the half that repairs a list: what it does before the lists are given back, it does again for the program's libc. */
enum { LIST_USED = 0, LIST_USER = 2, LIST_WORDS = 8 };

struct zl_fork {
	struct zl_frame *frame;
	uint64_t flags;
	uintptr_t fs;                   /* the program's */
	bool is_made;                   /* fork() has come to its clone */
	long result;                    /* of it, for the program */
	uintptr_t threads[LIST_WORDS];  /* in the child: what the lists are, while fork() has empty ones */
};

static void lock_all(struct zl_sighand *hand)
{
	zl_lock(&hand->lock);
	zl_lock(&zl_slots_lock);
	zl_lock(&zl_patch_lock);
}

static void unlock_all(struct zl_sighand *hand)
{
	zl_unlock(&zl_patch_lock);
	zl_unlock(&zl_slots_lock);
	zl_unlock(&hand->lock);
}

/* One thread, and nobody holds the locks but we. The kernel has copied gs and the alternate stack. */
static void begin_copy(struct zl_block *block, struct zl_frame *frame, uint64_t flags)
{
	block->noted = 0;   /* the parent's, if hook code forks */
	block->kept_pending = 0;
	zl_child_arm(block, frame);
	block->is_vforked = false;   /* the forking thread may have been: its copy shares with nobody, and nobody waits */
	block->has_own_process = false;
	block->traces_at_exec = false;
	block->exec_scratch = 0;
	zl_vsud_clear(block);
	zl_sighand_alone(block->sighand);
	atomic_store(&block->sighand->lock.state, ZL_LOCK_FREE);
	atomic_store(&zl_slots_lock.state, ZL_LOCK_FREE);
	atomic_store(&zl_patch_lock.state, ZL_LOCK_FREE);
	atomic_store(&zl_judge_lock.state, ZL_LOCK_FREE);
	atomic_store(&zl_leaves_turn, 0);   /* with CLONE_VFORK another thread may have been moving one */
	atomic_store(&zl_is_threaded, false);
	zl_codefd_open();
	zl_tally_add(&zl_shared->tally.processes, 1);
	if (flags & CLONE_CLEAR_SIGHAND)
		zl_sighand_clear(block->sighand);
	zl_child_open(block);
}

/* Returns in the child, too, with 0. */
static long make_copy(struct zl_block *block, struct zl_frame *frame, uint64_t flags)
{
	bool waits = flags & CLONE_VFORK;   /* till the child ends: the other threads must go on meanwhile */
	long result;

	if (!zl_clone_close(block, frame, flags))
		return zl_call_interrupted(frame);
	zl_target_share();
	if (!waits)
		lock_all(block->sighand);
	result = zl_gate_clone(frame, block);
	if (result == 0) {
		begin_copy(block, frame, flags);
		return 0;
	}
	if (!waits)
		unlock_all(block->sighand);
	zl_signals_open(block);
	return result;
}

static void hide_threads(struct zl_fork *fork)
{
	uintptr_t *list = zl_hook_libc.threads;

	memcpy(fork->threads, list, sizeof(fork->threads));
	list[LIST_USED] = list[LIST_USED + 1] = (uintptr_t)&list[LIST_USED];
	list[LIST_USER] = list[LIST_USER + 1] = (uintptr_t)&list[LIST_USER];
}

static void show_threads(const struct zl_fork *fork, const struct zl_block *block)
{
	memcpy(zl_hook_libc.threads, fork->threads, sizeof(fork->threads));
	zl_control_unlink(block);
}

/* Known by where it wants the child's id to be; a handler of the hook library's may make another process. */
bool zl_fork_is_inner(const struct zl_block *block, const struct zl_frame *frame)
{
	return block->fork && zl_is_nested(frame) && frame->call.number == __NR_clone &&
	       (uintptr_t)frame->call.arg[3] == block->control + zl_control_pattern.tid;
}

long zl_fork_inner(struct zl_block *block)
{
	struct zl_fork *fork = block->fork;

	block->fork = NULL;
	zl_fs_set(fork->fs);
	fork->result = make_copy(block, fork->frame, fork->flags);
	fork->is_made = true;
	fork->fs = zl_fs_read();   /* the child has another with CLONE_SETTLS */
	zl_fs_set(block->control);
	if (fork->result == 0)
		hide_threads(fork);
	return fork->result >= 0 ? fork->result : -EAGAIN;
}

/* With the extended state saved. Returns in the child, too. */
static long run_libc(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	struct zl_fork *fork = block->fork;
	bool was_in_hook = zl_slot_is_in_hook(block);

	(void)frame;
	zl_slot_enter_hook(block);
	zl_fs_set(block->control);
	zl_hook_libc.fork();
	if (fork->is_made && fork->result == 0)
		show_threads(fork, block);
	zl_fs_set(fork->fs);
	if (!was_in_hook)
		zl_slot_leave_hook(block);
	block->fork = NULL;
	return 0;
}

/* Not while it waits for the child: other threads' hooks would wait, too. */
static bool can_prepare(struct zl_block *block, uint64_t flags)
{
	bool can_set_fs = zl_has_fsgsbase || zl_seccomp_lets(zl_seccomp_here(), __NR_arch_prctl, ARCH_SET_FS, 0, 0);
	return zl_hook_libc.fork && !(flags & CLONE_VFORK) && can_set_fs && zl_control_of(block);
}

long zl_fork(struct zl_block *block, struct zl_frame *frame, uint64_t flags)
{
	struct zl_fork fork = { .frame = frame, .flags = flags, .fs = zl_fs_read() };
	bool is_hooks = zl_is_nested(frame);   /* by its libc's fork(), which is at work then */

	if (!is_hooks && can_prepare(block, flags)) {
		block->fork = &fork;
		if (frame->vectors)
			run_libc(frame);
		else
			zl_with_vectors(run_libc, frame);
	}
	if (!fork.is_made)   /* or a filter of the program's forbids what fork() does */
		fork.result = make_copy(block, frame, flags);
	if (fork.result != 0)
		return fork.result;
	if (!is_hooks)
		zl_slot_leave_hook(block);   /* a child never returns into a hook */
	if (frame->vectors)
		zl_restore_vectors(zl_frame_vectors(frame));
	zl_child_leave(frame);
}
