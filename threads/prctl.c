/* prctl.c - what the program may not change, because the agent lives by it */
#include "base/copy.h"
#include "threads/call.h"
#include "threads/control.h"
#include "threads/owners.h"
#include "threads/slots.h"
#include "threads/vsud.h"
#include <asm/prctl.h>
#include <linux/errno.h>
#include <linux/prctl.h>
#include "base/poison.h"

long zl_own_prctl(struct zl_frame *frame)
{
	static _Atomic bool is_said;

	if ((int)frame->call.arg[0] == PR_SET_SECCOMP)
		return zl_own_set_seccomp(frame);
	if ((int)frame->call.arg[0] != PR_SET_SYSCALL_USER_DISPATCH)
		return zl_call_make(frame);
	if (!zl_is_nested(frame))
		return zl_vsud_set(frame);
	zl_refused_once(&is_said, "a hook's own Syscall User Dispatch, answered EINVAL as by a kernel without it");
	return -EINVAL;
}

/* What lies there may be no thread block yet, of whatever libc. */
static long set_fs(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	long result = zl_call_make(frame);

	if (result == 0 && !zl_is_nested(frame)) {
		block->has_foreign_fs = !zl_control_is_glibc((uintptr_t)frame->call.arg[1]);
		zl_slot_choose_filter(block);
	}
	return result;
}

long zl_own_arch_prctl(struct zl_frame *frame)
{
	static _Atomic bool is_said;
	static const uint64_t base;

	switch ((int)frame->call.arg[0]) {
	case ARCH_SET_GS:
		if (!frame->call.arg[1])
			return 0;   /* as it is, in the program's eyes */
		zl_refused_once(&is_said, "arch_prctl(ARCH_SET_GS), answered EPERM: the agent keeps its block there");
		return -EPERM;
	case ARCH_GET_GS:
		return zl_copy_out((uintptr_t)frame->call.arg[1], &base, sizeof(base)) ? 0 : -EFAULT;
	case ARCH_SET_FS:
		return set_fs(frame);
	default:
		return zl_call_make(frame);
	}
}
