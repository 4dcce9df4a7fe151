/* bench.h - what the parts of the loop program share */
#ifndef ZLAZY_BENCH_H
#define ZLAZY_BENCH_H

/* What sud.c and probe.c answer to getpid: no process id can be this great (PID_MAX_LIMIT is 1 << 22). */
#define BENCH_ANSWER 0x7a6c617aL

/* The yardstick for a hooked call: a C function in another translation unit, with one store. */
long callee(long number);
/* The same in a shared library: a hook lies in one, too, and calls that go far cost more on some processors. */
long library_callee(long number);

enum sud_range {
	SUD_LIBC_ONLY,   /* calls of libc go to the kernel, every other one to a signal handler */
	SUD_EVERYWHERE,  /* armed, and every call is inside the allowed range */
};

/* Arm Syscall User Dispatch without a selector. Returns 0 or -errno. */
int sud_arm(enum sud_range range);

#endif
