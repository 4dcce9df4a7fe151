/* mask.c - the program's signal mask
 *
 * Virtual mask: what the program set. Real mask: the same less the agent's signals, which the program may block in
 * its own eyes only. A mask change takes effect at the gate or not at all: a signal that is noted first interrupts
 * the call, and the program makes it again after its handler.
 */
#include "base/copy.h"
#include "base/raw.h"
#include "threads/call.h"
#include "threads/deliver.h"
#include "threads/owners.h"
#include "threads/sighand.h"
#include <linux/errno.h>
#include "base/poison.h"

static bool combine(int how, uint64_t set, uint64_t *mask)
{
	set &= ~(zl_signal_bit(SIGKILL) | zl_signal_bit(SIGSTOP));
	switch (how) {
	case SIG_BLOCK: *mask |= set; return true;
	case SIG_UNBLOCK: *mask &= ~set; return true;
	case SIG_SETMASK: *mask = set; return true;
	default: return false;
	}
}

/* Hook code changes its own mask: the program's stays, and what a noted signal blocks stays blocked. */
static long change_nested(struct zl_block *block, struct zl_frame *frame, bool has_set, uint64_t set)
{
	uint64_t all = ~zl_fault_signals, before, real;
	bool is_valid;

	/* nothing may be noted between the look and the change */
	zl_raw(__NR_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(before));
	real = before;
	is_valid = !has_set || combine((int)frame->call.arg[0], set, &real);
	real = zl_real_mask(real);
	if (block->is_hook_thread)
		real |= ~zl_fault_signals & ~zl_signal_bit(SIGSYS);   /* the program's signals are not for it */
	if (block->noted)
		real |= zl_sighand_held(block->sighand);
	if (has_set && is_valid)
		block->hook_mask = real;
	zl_raw(__NR_rt_sigprocmask, SIG_SETMASK, &real, 0, sizeof(real));
	if (!is_valid)
		return -EINVAL;
	if (frame->call.arg[2] && !zl_copy_out((uintptr_t)frame->call.arg[2], &before, sizeof(before)))
		return -EFAULT;
	return 0;
}

/* Of the kept signals, one that the program blocks no longer comes at the end of this call. */
static void note_kept(struct zl_block *block, const struct zl_frame *frame)
{
	if (!(block->kept_pending & ~block->mask) || !zl_signals_close_all(block, frame))
		return;   /* one noted: zl_deliver_noted() gives out the kept ones, too */
	zl_note_kept(block);
	zl_signals_open(block);
}

long zl_own_sigprocmask(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	const long *arg = frame->call.arg;
	uint64_t set = 0, before = block->mask, after = before, real;
	long result;

	if (arg[3] != sizeof(set))
		return -EINVAL;
	if (arg[1] && !zl_copy_in(&set, (uintptr_t)arg[1], sizeof(set)))
		return -EFAULT;
	if (zl_is_nested(frame))
		return change_nested(block, frame, arg[1] != 0, set);
	if (arg[1] && !combine((int)arg[0], set, &after))
		return -EINVAL;
	real = zl_real_mask(after);
	result = zl_call_as(frame, __NR_rt_sigprocmask, SIG_SETMASK, (long)&real, 0, sizeof(real), 0, 0);
	if (result != 0)
		return result;
	block->mask = after;
	note_kept(block, frame);
	if (arg[2] && !zl_copy_out((uintptr_t)arg[2], &before, sizeof(before)))
		return -EFAULT;
	return 0;
}

long zl_own_sigpending(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	unsigned long size = (unsigned long)frame->call.arg[1];
	uint64_t set = 0;
	long result;

	if (size > sizeof(set))
		return -EINVAL;
	result = zl_call_as(frame, __NR_rt_sigpending, (long)&set, sizeof(set), 0, 0, 0, 0);
	if (result != 0)
		return result;
	set |= block->kept_pending;
	return zl_copy_out((uintptr_t)frame->call.arg[0], &set, size) ? 0 : -EFAULT;
}

/* A signal that was kept for the program is pending for it, too. */
long zl_own_sigtimedwait(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	uint64_t set;
	siginfo_t info;

	if (!block->kept_pending || zl_is_nested(frame) || frame->call.arg[3] != sizeof(set) ||
	    !zl_copy_in(&set, (uintptr_t)frame->call.arg[0], sizeof(set)) || !zl_take_kept(block, set, &info))
		return zl_call_make(frame);
	if (frame->call.arg[1] && !zl_copy_out((uintptr_t)frame->call.arg[1], &info, sizeof(info)))
		return -EFAULT;
	return info.si_signo;
}

/* Calls that may see or let in a signal that is pending: by a temporary mask, or through a signalfd. For such a call
 * the kernel gets what is kept back, blocked as the program has it blocked, and does the rest. */
long zl_own_look(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	uint64_t mask;
	long result;

	if (zl_likely(!block->kept_pending) || zl_is_nested(frame))
		return zl_call_make(frame);
	if (!zl_signals_close_all(block, frame))
		return zl_call_interrupted(frame);
	mask = block->mask;
	zl_requeue_kept(block);
	zl_raw(__NR_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof(mask));
	result = zl_call_make(frame);
	zl_signals_open(block);   /* what is pending still comes now, and is kept again */
	return result;
}
