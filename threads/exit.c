/* exit.c - the end of a thread
 *
 * A thread that ends gives its slot back while it stands on it: zl_gate_exit does the last steps in registers. The
 * child of a vfork leaves its slot to the parent; exit_group leaves everything to the kernel, except in a process
 * that shares its memory with another.
 */
#include "base/seccomp.h"
#include "threads/call.h"
#include "threads/owners.h"
#include "threads/sighand.h"
#include "threads/slots.h"
#include "base/poison.h"

long zl_own_exit(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	long number = frame->call.number, result;
	int status = (int)frame->call.arg[0];

	if (zl_seccomp_here() == &zl_seccomp_strict)   /* signals can't be held back: the slot is left where it is */
		return zl_call_make(frame);
	if (!zl_signals_close_all(block, frame))   /* soon there is no stack for any of them */
		return zl_call_interrupted(frame);
	if (block->is_vforked || (number == __NR_exit_group && !block->has_own_process)) {
		result = zl_call_make(frame);   /* comes back where a seccomp filter refuses it */
		zl_signals_open(block);
		return result;
	}
	zl_sighand_drop(block->sighand);
	zl_gate_exit(block, status, &zl_free_blocks, number);
}
