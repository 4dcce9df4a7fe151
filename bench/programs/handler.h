/* handler.h - what signal handlers do with a call (sud.c, breakpoint.c, seccomp.c): the hook, and its result in rax
 *
 * A call that is passed on is made by libc's syscall(): sud.c lets libc through, and the others have one site only.
 */
#ifndef ZLAZY_BENCH_HANDLER_H
#define ZLAZY_BENCH_HANDLER_H

#include <errno.h>
#include <ucontext.h>
#include <unistd.h>

#include "hook.h"

/* pre: _GNU_SOURCE */
static inline void handle_call(ucontext_t *context)
{
	greg_t *r = context->uc_mcontext.gregs;
	int saved = errno;
	long result;

	if (!hook_answers(r[REG_RAX], &result)) {
		result = syscall(r[REG_RAX], r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8], r[REG_R9]);
		if (result == -1)
			result = -errno;
	}
	r[REG_RAX] = result;
	errno = saved;
}

#endif
