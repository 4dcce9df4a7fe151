/* bench.h - what the parts of the loop program share: the mechanisms that take the calls of its site */
#ifndef ZLAZY_BENCH_H
#define ZLAZY_BENCH_H

/* What a hook answers to getpid: no process id can be this great (PID_MAX_LIMIT is 1 << 22). */
#define BENCH_ANSWER 0x7a6c617aL

/* The yardstick for a hooked call: a C function in another translation unit, with one store. */
long callee(long number);
/* The same in a shared library: a hook lies in one, too, and calls that go far cost more on some processors. */
long library_callee(long number);

/* The site of most loops: `syscall`. */
extern const unsigned char loop_site[];
/* Move this process to a processor. */
void loop_move_to(int cpu);

enum sud_range {
	SUD_LIBC_ONLY,   /* calls of libc go to the kernel, every other one to a signal handler */
	SUD_EVERYWHERE,  /* armed, and every call is inside the allowed range */
};

/* Each answers 0, or -errno where it can't be had here. cpu: where its second process runs, -1: on the same one. */
/* Arm Syscall User Dispatch without a selector. */
int sud_arm(enum sud_range range);

enum breakpoint { BREAKPOINT_INT3, BREAKPOINT_UD2 };
int breakpoint_arm(enum breakpoint kind);

/* Install a filter with this action for the calls of the site. Returns what seccomp() does, or -errno. */
long seccomp_take_site(unsigned action, unsigned flags);
int seccomp_arm(void);
int notify_arm(int cpu);

enum tracer { TRACER_SYSCALL, TRACER_SYSEMU };
int ptrace_arm(enum tracer kind, int cpu);

#endif
