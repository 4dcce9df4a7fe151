/* altstack.c - the program's alternate signal stack (Linux, kernel/signal.c, do_sigaltstack) */
#include "threads/altstack.h"
#include "base/copy.h"
#include "threads/call.h"
#include "threads/owners.h"
#include <asm/unistd.h>
#include <linux/errno.h>
#include "base/poison.h"

enum { MINIMUM = 2048 /* MINSIGSTKSZ */ };

long zl_alternate_set(stack_t *alternate, const stack_t *wanted, uintptr_t rsp)
{
	unsigned mode = (unsigned)wanted->ss_flags & ~SS_AUTODISARM;

	if (zl_alternate_contains(alternate, rsp))
		return -EPERM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		*alternate = (stack_t){ .ss_flags = wanted->ss_flags };
		return 0;
	}
	if (wanted->ss_size < MINIMUM)
		return -ENOMEM;
	*alternate = *wanted;
	return 0;
}

stack_t zl_alternate_show(const stack_t *alternate, uintptr_t rsp)
{
	stack_t shown = *alternate;
	unsigned mode = !zl_alternate_is_enabled(alternate) ? SS_DISABLE :
			zl_alternate_contains(alternate, rsp) ? SS_ONSTACK : 0;
	shown.ss_flags = (int)(mode | ((unsigned)alternate->ss_flags & SS_AUTODISARM));
	return shown;
}

long zl_own_sigaltstack(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	uintptr_t new = (uintptr_t)frame->call.arg[0], old = (uintptr_t)frame->call.arg[1];
	stack_t wanted, before = zl_alternate_show(&block->alternate, frame->rsp);
	long result = 0;

	if (new && !zl_copy_in(&wanted, new, sizeof(wanted)))
		return -EFAULT;
	if (zl_is_nested(frame) && new)
		return -EPERM;
	result = zl_call_as(frame, __NR_sigaltstack, 0, 0, 0, 0, 0, 0);   /* seen by tracers; due signals come first */
	if (result != 0)
		return result;
	if (new)
		result = zl_alternate_set(&block->alternate, &wanted, frame->rsp);
	if (result == 0 && old && !zl_copy_out(old, &before, sizeof(before)))
		return -EFAULT;
	return result;
}
