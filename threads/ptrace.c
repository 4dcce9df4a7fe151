/* ptrace.c - PTRACE_TRACEME in the child of a vfork waits for the execve
 *
 * A traced thread stops at each trap of a system call, and the tracer of a vfork child waits in vfork: neither would
 * go on (gdb starts its inferior so). Natively nothing that such a child does before its execve may stop it either,
 * so the request is kept, and made in the execve (threads/exec.c), in the gate, where nothing traps.
 */
#include "base/raw.h"
#include "threads/call.h"
#include "threads/owners.h"
#include "base/poison.h"

enum { TRACEME = 0 };

long zl_own_ptrace(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();

	if (frame->call.arg[0] != TRACEME || !block->is_vforked || zl_is_nested(frame))
		return zl_call_make(frame);
	block->traces_at_exec = true;
	return 0;
}

/* An execve that fails leaves the child where it would stop: ask first whether it can go well. */
void zl_trace_at_exec(struct zl_block *block, const struct zlazy_call *call)
{
	enum { EXECUTABLE = 1, HERE = -100 /* AT_FDCWD */ };

	if (!block->traces_at_exec ||
	    (call->number == __NR_execve && zl_raw(__NR_faccessat, HERE, call->arg[0], EXECUTABLE) != 0))
		return;
	block->traces_at_exec = false;
	zl_raw(__NR_ptrace, TRACEME, 0, 0, 0);
}
