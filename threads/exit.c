/* exit.c - the end of a thread
 *
 * A thread that ends gives its slot back while it stands on it: zl_gate_exit does the last steps in registers. The
 * child of a vfork leaves its slot to the parent; exit_group leaves everything to the kernel, except in a process
 * that shares its memory with another.
 */
#include "base/raw.h"
#include "threads/call.h"
#include "threads/owners.h"
#include "threads/sighand.h"
#include "threads/slots.h"
#include "base/poison.h"

long zl_own_exit(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	long number = frame->call.number;
	static const uint64_t everything = ~0UL;
	int status = (int)frame->call.arg[0];

	if (!zl_signals_close(block))
		return zl_call_interrupted(frame);
	if (block->is_vforked || (number == __NR_exit_group && !block->has_own_process))
		return zl_call_make(frame);
	zl_sighand_drop(block->sighand);
	zl_raw(__NR_rt_sigprocmask, SIG_SETMASK, &everything, 0, sizeof(everything));   /* no stack for any of them */
	zl_gate_exit(block, status, &zl_free_blocks, number);
}
