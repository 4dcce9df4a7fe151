/* thr_clone3 - row 14: clone3 for a thread with a stack, for a process, with CLONE_CLEAR_SIGHAND and a pidfd; its errors */
#include "code.h"
#include <linux/sched.h>
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static int flag;

__attribute__((noinline)) static long clone3_process(struct clone_args *args)
{
	return raw2(SYS_clone3, args, sizeof(*args));
}

static void on_signal(int signo)
{
	(void)signo;
}

int main(void)
{
	static char stack[16384] __attribute__((aligned(16)));
	int pidfd = -1, child_tid = -1;
	signal(SIGUSR1, on_signal);
	struct clone_args args = { .flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND, .pidfd = (uint64_t)&pidfd, .exit_signal = SIGCHLD };
	struct clone_args copy = args;
	for (int round = 0; round < 5; round++) {
		long child = clone3_process(&args);
		if (child == 0) {
			struct sigaction now;
			_exit(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == SIG_DFL && raw0(SYS_getuid) == getuid() ? 7 : 8);
		}
		siginfo_t info;
		CHECK(child > 0 && !memcmp(&args, &copy, sizeof(args)));
		CHECK(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) == 0 && info.si_status == 7 && info.si_pid == child);
		close(pidfd);
		/* a CLONE_VM child on a stack of its own: ends in asm, stores through a register that it was given */
		struct clone_args thread = { .flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
			CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, .child_tid = (uint64_t)&child_tid, .stack = (uint64_t)stack,
			.stack_size = sizeof(stack) };
		long result;
		child_tid = -1;
		asm volatile("movq %3,%%r12; syscall; testq %%rax,%%rax; jnz 1f; pushq %%rsi; popq %%rdx; subq $88,%%rdx\n"
			"addl %%edx,(%%r12); addl $1,(%%r12); movl $102,%%eax; syscall; xorl %%edi,%%edi; movl $60,%%eax; syscall\n1:"
			: "=a"(result) : "0"(SYS_clone3), "D"(&thread), "r"(&flag), "S"(sizeof(thread))
			: "rcx", "rdx", "r11", "r12", "memory");
		CHECK(result > 0);
		while (__atomic_load_n(&child_tid, __ATOMIC_ACQUIRE) != 0)
			sched_yield();
		CHECK_EQ(flag, round + 1);
	}
	CHECK_EQ(raw2(SYS_clone3, &args, 8), -EINVAL);
	CHECK_EQ(raw2(SYS_clone3, 1L << 46, sizeof(args)), -EFAULT);
	args.flags = CLONE_THREAD;
	CHECK_EQ(raw2(SYS_clone3, &args, sizeof(args)), -EINVAL);
	say("5 processes, 5 threads");
	return 0;
}
