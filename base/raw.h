/* raw.h - system calls of the agent itself, through the gate */
#ifndef ZL_BASE_RAW_H
#define ZL_BASE_RAW_H

#include "base/types.h"
#include <asm/unistd.h>

/* Made whatever the program's seccomp filters say: for who is about to end the process. */
long zl_raw_syscall(long number, long a, long b, long c, long d, long e, long f);
extern const char zl_raw_syscall_after[] __attribute__((visibility("hidden")));
/* Not made, but answered -EACCES, if a filter would not let it pass (base/seccomp.h). */
long zl_raw_asked(long number, long a, long b, long c, long d, long e, long f);
extern const char zl_restorer_after[] __attribute__((visibility("hidden")));
void zl_restorer(void);
extern const char __start_zl_gate[] __attribute__((visibility("hidden")));
extern const char __stop_zl_gate[] __attribute__((visibility("hidden")));

/* zl_raw(__NR_x, up to six arguments): missing ones are 0. */
#define zl_raw(...) ZL_RAW7(__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define ZL_RAW7(n, a, b, c, d, e, f, ...) \
	zl_raw_asked((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

#endif
