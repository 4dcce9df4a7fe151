/* child.c - fork, vfork, clone, clone3: the child is hooked from its first instruction
 *
 * The parent blocks every signal (while it waits for a vfork child: what has a handler), prepares the child's
 * block (a new one with CLONE_VM; without, fork.c goes on) and enters the gate with the block's address in r9, which
 * these calls don't read. The child arrives in zl_child, on a stack that the agent must not touch, moves to the block's
 * hook stack, arms itself in zl_child_begin() and leaves by the exit of the frame that the parent copied there. The
 * program's arguments stay as they are, and so do its stacks: with vfork everything that the parent needs lies in its
 * own slot.
 */
#include "threads/child.h"
#include "base/copy.h"
#include "base/fatal.h"
#include "base/os.h"
#include "base/seccomp.h"
#include "base/string.h"
#include "lazy/leaves.h"
#include "lazy/patch.h"
#include "lazy/sud.h"
#include "threads/call.h"
#include "threads/control.h"
#include "threads/owners.h"
#include "threads/sighand.h"
#include "threads/slots.h"
#include <linux/errno.h>
#include <linux/sched.h>
#include "base/poison.h"

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
		copy->vectors = (uint32_t)((uintptr_t)copy - zl_align_down((uintptr_t)copy - zl_vector_size, 64));
		memcpy(zl_frame_vectors(copy), zl_frame_vectors(frame), zl_vector_size);
	}
	child->frame = copy;
}

static struct zl_block *prepare_sharing(struct zl_block *parent, const struct zl_frame *frame, uint64_t flags)
{
	struct zl_block *child = flags & CLONE_VFORK ? zl_slot_take_reserved() : zl_slot_take();

	if (!child)
		return NULL;
	zl_sighand_claim_sigill(parent->sighand);
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
	if (!(flags & CLONE_VFORK) && !atomic_exchange(&zl_is_threaded, true))
		zl_leaves_alone();   /* what other threads had entered before a fork */
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

/* While the parent waits for the child of a vfork, what the program does not handle may end or stop it, but for what
 * dumps core: that waits natively, too. The child begins with the same mask: nothing that there is a handler for, the
 * agent's own included, comes before it is armed. */
static void open_for_wait(const struct zl_block *block)
{
	uint64_t mask = zl_signals_mask(block) | zl_sighand_held(block->sighand) | zl_fault_signals |
			zl_signal_bit(SIGSYS);
	zl_raw(__NR_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof(mask));
}

bool zl_clone_close(struct zl_block *block, struct zl_frame *frame, uint64_t flags)
{
	if (!zl_signals_close_all(block, frame))
		return false;
	if (flags & CLONE_VFORK)
		open_for_wait(block);
	block->frame = frame;
	return true;
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

long zl_own_clone(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	uint64_t flags = clone_flags(&frame->call);
	long result;

	if (!(flags & CLONE_VM))
		return zl_fork_is_inner(block, frame) ? zl_fork_inner(block) : zl_fork(block, frame, flags);
	if (!zl_clone_close(block, frame, flags))
		return zl_call_interrupted(frame);
	result = clone_sharing(block, frame, flags);
	zl_signals_open(block);
	return result;
}

/* What start_thread() of the program's libc does for its own libc, the hooks' needs as well, on a thread block that
 * hooks use. */
static void begin_hook_libc(struct zl_block *block)
{
	if (zl_control_is_glibc(zl_fs_read())) {
		if (zl_hook_libc.begin_thread && !block->has_foreign_fs && !block->has_own_process)
			zl_hook_libc.begin_thread();
	}
}

void zl_child_arm(struct zl_block *block, struct zl_frame *frame)
{
	if (zl_sud_arm() != 0)
		zl_fatal(ZL_FATAL_ARM, (unsigned long)block);
	zl_slot_set_thread(block);
	if (frame->rsp != block->child_rsp) {
		frame->rsp = block->child_rsp;
		frame->kind = frame->kind == KIND_CALL ? KIND_JUMP : frame->kind;
	}
	/* Not before the handler would find the block: a sent one may be pending. Not later: fs may point nowhere. */
	zl_signals_close();
	if (!zl_control_is_glibc(zl_fs_read()))   /* with CLONE_SETTLS */
		block->has_foreign_fs = true;
}

void zl_child_open(struct zl_block *block)
{
	zl_slot_choose_filter(block);
	zl_signals_open(block);
}

/* From zl_child, on the child's hook stack; no signal comes that has a handler. @entry */
void zl_child_begin(struct zl_block *block)
{
	struct zl_frame *frame = block->frame;

	zl_slot_install(block);
	zl_child_arm(block, frame);
	if (block->clears_sighand)
		zl_sighand_clear(block->sighand);
	begin_hook_libc(block);
	if (frame->vectors)
		zl_restore_vectors(zl_frame_vectors(frame));
	zl_child_open(block);
}
