/* fatal.c - see fatal.h */
#include "base/fatal.h"
#include "base/print.h"
#include "base/raw.h"
#include <linux/signal.h>
#include "base/poison.h"

_Noreturn void zl_exit_process(int status)
{
	for (;;)
		zl_raw_syscall(__NR_exit_group, status, 0, 0, 0, 0, 0);
}

_Noreturn void zl_fatal(enum zl_fatal what, unsigned long detail)
{
	static const char *const text[] = {
		[ZL_FATAL_BLOCK] = "the thread's block is lost: the program changed gs (see docs/LIMITS.md)",
		[ZL_FATAL_FAULT] = "the agent itself faulted: please report this",
		[ZL_FATAL_HOOK_FAULT] = "a hook library faulted: debug the hook",
		[ZL_FATAL_TRAP] = "a system call outside the gate: please report this",
		[ZL_FATAL_ARM] = "the kernel refused to arm a new thread",
		[ZL_FATAL_SEGMENT] = "a system call in a 32-bit code segment, which is not supported (see docs/LIMITS.md)",
		[ZL_FATAL_STATE] = "an impossible state: please report this",
	};
	struct zl_line line = { 0 };
	unsigned long none = 0;
	struct { void *handler; unsigned long flags; void *restorer; unsigned long mask; } standard = { 0 };

	zl_put(&line, "zlazy: fatal: ");
	zl_put(&line, text[what]);
	zl_put(&line, ", at ");
	zl_put_hex(&line, detail);
	zl_complain(&line);
	zl_raw(__NR_rt_sigaction, SIGABRT, &standard, 0, 8);
	zl_raw(__NR_rt_sigprocmask, SIG_SETMASK, &none, 0, 8);
	zl_raw(__NR_tgkill, zl_raw(__NR_getpid), zl_raw(__NR_gettid), SIGABRT);
	zl_exit_process(ZL_EXIT_REFUSED);
}
