/* child.c - fork, vfork, clone, clone3: the child is hooked from its first instruction
 *
 * The parent blocks every signal (while it waits for a vfork child: what the program handles), prepares the child's
 * block (a new one with CLONE_VM, else its own, of which the child gets a copy) and enters the gate with the block's
 * address in r9, which these calls don't read. The child arrives in zl_child, on a stack that the agent must not touch,
 * moves to the block's hook stack, arms itself in zl_child_begin() and leaves by the exit of the frame that the parent
 * copied there. The program's arguments stay as they are, and so do its stacks: with vfork everything that the parent
 * needs lies in its own slot.
 */
#include "base/copy.h"
#include "base/fatal.h"
#include "base/os.h"
#include "base/seccomp.h"
#include "base/string.h"
#include "base/tally.h"
#include "lazy/codefd.h"
#include "lazy/patch.h"
#include "lazy/sud.h"
#include "threads/call.h"
#include "threads/control.h"
#include "threads/owners.h"
#include "threads/sighand.h"
#include "threads/slots.h"
#include "threads/target.h"
#include "threads/vsud.h"
#include <linux/errno.h>
#include <linux/sched.h>
#include "base/poison.h"

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif

/* What the child will share. A bad pointer of clone3 is the kernel's to complain of: no flags then. */
static uint64_t clone_flags(const struct zlazy_call *call)
{
	struct clone_args args = { 0 };
	switch (call->number) {
	case __NR_fork: return SIGCHLD;
	case __NR_vfork: return CLONE_VM | CLONE_VFORK | SIGCHLD;
	case __NR_clone: return (uint32_t)call->arg[0];   /* CLONE_CLEAR_SIGHAND is clone3's only */
	default:
		return zl_copy_in(&args.flags, (uintptr_t)call->arg[0], sizeof(args.flags)) ? args.flags : 0;
	}
}

/* A frame, and the extended state that goes with it, on the child's own hook stack. */
static void copy_frame(struct zl_block *child, const struct zl_frame *frame)
{
	struct zl_frame *copy = zl_slot_first_frame(child);
	memcpy(copy, frame, sizeof(*copy));
	if (frame->vectors) {
		copy->vectors = (void *)zl_align_down((uintptr_t)copy - zl_vector_size, 64);
		memcpy(copy->vectors, frame->vectors, zl_vector_size);
	}
	child->frame = copy;
}

static struct zl_block *prepare_sharing(struct zl_block *parent, const struct zl_frame *frame, uint64_t flags)
{
	struct zl_block *child = flags & CLONE_VFORK ? zl_slot_take_reserved() : zl_slot_take();

	if (!child)
		return NULL;
	zl_sighand_claim_sigill();
	if (flags & CLONE_SIGHAND && !(flags & CLONE_THREAD))
		atomic_store(&parent->sighand->spans_processes, true);
	child->sighand = flags & CLONE_SIGHAND ? zl_sighand_share(parent->sighand) : zl_sighand_copy(parent->sighand);
	if (!child->sighand) {
		zl_slot_give(child);
		return NULL;
	}
	child->mask = parent->mask;
	child->seccomp = zl_seccomp_of(parent);
	child->alternate = flags & CLONE_VFORK ? parent->alternate : (stack_t){ .ss_flags = SS_DISABLE };
	child->is_hook_thread = zl_is_nested(frame);
	child->hook_mask = ~zl_fault_signals & ~zl_signal_bit(SIGSYS);
	child->is_vforked = flags & CLONE_VFORK;
	child->has_own_process = !(flags & CLONE_THREAD);
	child->clears_sighand = flags & CLONE_CLEAR_SIGHAND;
	/* The child of a vfork has the thread block for itself while the parent waits; any other shares it, or gets one. */
	child->has_foreign_fs = flags & CLONE_VFORK ? parent->has_foreign_fs : !(flags & CLONE_SETTLS);
	copy_frame(child, frame);
	zl_slot_set_frames(child);
	if (!(flags & CLONE_VFORK))
		atomic_store(&zl_is_threaded, true);
	return child;
}

static void release_sharing(struct zl_block *child)
{
	zl_sighand_drop(child->sighand);
	if (child->exec_scratch)
		zl_os_unmap(child->exec_scratch, child->exec_scratch_size);
	if (child->is_vforked)
		zl_slot_reserve(child);
	else
		zl_slot_give(child);
}

static long clone_sharing(struct zl_block *block, struct zl_frame *frame, uint64_t flags)
{
	struct zl_block *child = prepare_sharing(block, frame, flags);
	long result;

	if (!child)
		return -EAGAIN;
	result = zl_gate_clone(frame, child);
	if (zl_is_error(result) || (flags & CLONE_VFORK))   /* a vfork child has ended, or is another program */
		release_sharing(child);
	return result;
}

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

static long clone_copying(struct zl_block *block, struct zl_frame *frame, uint64_t flags)
{
	long result;

	bool waits = flags & CLONE_VFORK;   /* till the child ends: the other threads must go on meanwhile */

	zl_target_share();
	if (!waits)
		lock_all(block->sighand);
	block->is_forking = true;
	block->clears_sighand = flags & CLONE_CLEAR_SIGHAND;
	result = zl_gate_clone(frame, block);
	block->is_forking = false;
	block->clears_sighand = false;
	if (!waits)
		unlock_all(block->sighand);
	return result;
}

/* While the parent waits for the child of a vfork, what the program does not handle may end or stop it. The child
 * begins with the same mask: nothing that it has a handler for comes before it is armed. */
static void open_for_wait(const struct zl_block *block)
{
	uint64_t mask = zl_signals_mask(block) | zl_sighand_held(block->sighand) | zl_signal_bit(SIGSYS);
	zl_raw(__NR_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof(mask));
}

long zl_own_clone(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	uint64_t flags = clone_flags(&frame->call);
	long result;

	if (!zl_signals_close(block, frame))
		return zl_call_interrupted(frame);
	if (flags & CLONE_VFORK)
		open_for_wait(block);
	block->frame = frame;
	result = flags & CLONE_VM ? clone_sharing(block, frame, flags) : clone_copying(block, frame, flags);
	zl_signals_open(block);
	return result;
}

/* The copy of a process: one thread, and nobody holds the locks but we. */
static void begin_copy(struct zl_block *block)
{
	block->is_forking = false;
	block->is_vforked = false;   /* the forking thread may have been: its copy shares with nobody, and nobody waits */
	block->has_own_process = false;
	block->traces_at_exec = false;
	block->exec_scratch = 0;
	zl_vsud_clear(block);
	zl_sighand_alone(block->sighand);
	atomic_store(&block->sighand->lock.state, ZL_LOCK_FREE);
	atomic_store(&zl_slots_lock.state, ZL_LOCK_FREE);
	atomic_store(&zl_patch_lock.state, ZL_LOCK_FREE);
	atomic_store(&zl_is_threaded, false);
	zl_codefd_open();
	zl_tally_add(&zl_shared->tally.processes, 1);
}

/* What start_thread() of the program's libc does for its own libc, the hooks' needs as well, on a thread block that
 * hooks use. */
static void begin_hook_libc(struct zl_block *block)
{
	if (zl_control_is_glibc(zl_fs_read())) {
		if (zl_hook_libc_thread && !block->has_foreign_fs && !block->has_own_process)
			zl_hook_libc_thread();
	}
}

/* From zl_child, on the child's hook stack; no signal comes that the program handles. @entry */
void zl_child_begin(struct zl_block *block)
{
	struct zl_frame *frame = block->frame;
	bool is_copy = block->is_forking;

	zl_slot_install(block);
	if (zl_sud_arm() != 0)
		zl_fatal(ZL_FATAL_ARM, (unsigned long)block);
	zl_slot_set_thread(block);
	if (is_copy)
		begin_copy(block);
	if (block->clears_sighand) {
		block->clears_sighand = false;
		zl_sighand_clear(block->sighand);
	}
	if (frame->rsp != block->child_rsp) {
		frame->rsp = block->child_rsp;
		frame->kind = frame->kind == KIND_CALL ? KIND_JUMP : frame->kind;
	}
	if (!zl_control_is_glibc(zl_fs_read()))   /* with CLONE_SETTLS */
		block->has_foreign_fs = true;
	if (!is_copy)
		begin_hook_libc(block);
	if (frame->vectors)
		zl_restore_vectors(frame->vectors);
	if (!zl_is_nested(frame))
		zl_slot_leave_hook(block);   /* a child never returns into a hook */
	block->noted = 0;
	block->kept_pending = 0;
	zl_slot_choose_filter(block);
	zl_signals_open(block);
}
