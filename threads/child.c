/* child.c - fork, vfork, clone, clone3: the child is hooked from its first instruction
 *
 * The parent blocks every signal, prepares the child's block (a new one with CLONE_VM, else its own, of which the
 * child gets a copy) and enters the gate with the block's address in r9, which these calls don't read. The child
 * arrives in zl_child, on a stack that the agent must not touch, moves to the block's hook stack, arms itself in
 * zl_child_begin() and leaves by the exit of the frame that the parent copied there. The program's arguments stay
 * as they are, and so do its stacks: with vfork everything that the parent needs lies in its own slot.
 */
#include "base/copy.h"
#include "base/fatal.h"
#include "base/os.h"
#include "base/string.h"
#include "base/tally.h"
#include "lazy/codefd.h"
#include "lazy/patch.h"
#include "lazy/sud.h"
#include "threads/call.h"
#include "threads/owners.h"
#include "threads/sighand.h"
#include "threads/slots.h"
#include <asm/prctl.h>
#include <linux/errno.h>
#include <linux/sched.h>
#include "base/poison.h"

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif

void (*zl_hook_libc_thread)(void);

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
	struct zl_block *child = zl_slot_take();

	if (!child)
		return NULL;
	child->sighand = flags & CLONE_SIGHAND ? zl_sighand_share(parent->sighand) : zl_sighand_copy(parent->sighand);
	if (!child->sighand) {
		zl_slot_give(child);
		return NULL;
	}
	child->mask = parent->mask;
	child->alternate = flags & CLONE_VFORK ? parent->alternate : (stack_t){ .ss_flags = SS_DISABLE };
	child->is_hook_thread = zl_is_nested(frame);
	child->hook_mask = ~zl_fault_signals & ~zl_signal_bit(SIGSYS);
	child->is_vforked = flags & CLONE_VFORK;
	child->has_own_process = !(flags & CLONE_THREAD);
	child->clears_sighand = flags & CLONE_CLEAR_SIGHAND;
	child->shares_thread_group = flags & CLONE_THREAD;
	zl_slot_leave_hook(child);
	copy_frame(child, frame);
	if (!(flags & CLONE_VFORK)) {
		zl_sighand_claim_sigill();
		atomic_store(&zl_is_threaded, true);
	}
	return child;
}

static void release_sharing(struct zl_block *child)
{
	zl_sighand_drop(child->sighand);
	if (child->exec_scratch)
		zl_os_unmap(child->exec_scratch, child->exec_scratch_size);
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

long zl_own_clone(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	uint64_t flags = clone_flags(&frame->call);
	long result;

	if (!zl_signals_close(block))
		return zl_call_interrupted(frame);
	block->frame = frame;
	result = flags & CLONE_VM ? clone_sharing(block, frame, flags) : clone_copying(block, frame, flags);
	zl_signals_open(block);
	return result;
}

/* The copy of a process: one thread, and nobody holds the locks but we. */
static void begin_copy(struct zl_block *block)
{
	block->is_forking = false;
	atomic_store(&block->sighand->lock.state, ZL_LOCK_FREE);
	atomic_store(&zl_slots_lock.state, ZL_LOCK_FREE);
	atomic_store(&zl_patch_lock.state, ZL_LOCK_FREE);
	atomic_store(&zl_is_threaded, false);
	zl_codefd_open();
	zl_tally_add(&zl_shared->tally.processes, 1);
}

/* What start_thread() of the program's libc does for its own libc, the hooks' needs as well. Only on a thread block of
 * glibc's, which begins with two pointers to itself. */
static void begin_hook_libc(void)
{
	uintptr_t fs = 0, head[3];

	if (!zl_hook_libc_thread)
		return;
	zl_raw(__NR_arch_prctl, ARCH_GET_FS, &fs);
	if (fs && zl_copy_in(head, fs, sizeof(head)) && head[0] == fs && head[2] == fs)
		zl_hook_libc_thread();
}

/* From zl_child, on the child's hook stack, all signals blocked. @entry */
void zl_child_begin(struct zl_block *block)
{
	struct zl_frame *frame = block->frame;

	zl_slot_install(block);
	if (zl_sud_arm() != 0)
		zl_fatal(ZL_FATAL_ARM, (unsigned long)block);
	block->tid = (int32_t)zl_raw(__NR_gettid);
	if (block->is_forking)
		begin_copy(block);
	if (block->clears_sighand) {
		block->clears_sighand = false;
		zl_sighand_clear(block->sighand);
	}
	if (frame->rsp != block->child_rsp) {
		frame->rsp = block->child_rsp;
		frame->kind = frame->kind == KIND_CALL ? KIND_JUMP : frame->kind;
	}
	if (block->shares_thread_group)
		begin_hook_libc();
	if (frame->vectors)
		zl_restore_vectors(frame->vectors);
	if (!zl_is_nested(frame))
		zl_slot_leave_hook(block);   /* a child never returns into a hook */
	block->noted = 0;
	block->kept_pending = 0;
	zl_signals_open(block);
}
