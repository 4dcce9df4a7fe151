/* sig_kept_return - rows 11 to 13: SIGBUS, SIGSEGV and SIGSYS, sent while a handler blocks them, come at its return, one on
 * top of the other, with vector registers and mask as the first handler met them. needs the real getpid */
#include "guest.h"

static volatile int seen[4], count;

static void handler(int signo, siginfo_t *info, void *context)
{
	const sigset_t *before = &((ucontext_t *)context)->uc_sigmask;
	CHECK_EQ(info->si_signo, signo);
	asm volatile("pxor %%xmm7, %%xmm7" ::: "xmm7");
	if (signo == SIGUSR1)
		for (int i = 0; i < 3; i++)
			CHECK(syscall(SYS_tgkill, getpid(), gettid(), (const int[]){ SIGSYS, SIGSEGV, SIGBUS }[i]) == 0);
	CHECK_EQ(sigismember(before, SIGUSR1), 0);
	CHECK_EQ(sigismember(before, SIGUSR2), 1);
	seen[count++] = signo;
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	uint64_t in = 0x123456789abcdef, out;
	sigset_t mask = { { 1UL << (SIGUSR2 - 1) } };
	for (int i = 0; i < 3; i++)
		handle((const int[]){ SIGSYS, SIGSEGV, SIGBUS }[i], handler, 0);
	sigfillset(&action.sa_mask);
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	long pid = getpid(), tid = gettid(), number = SYS_tgkill;
	for (int round = 0; round < 100; round++, count = 0, number = SYS_tgkill) {
		asm volatile("movq %2, %%xmm7; syscall; movq %%xmm7, %1" : "+a"(number), "=r"(out)
			: "r"(in), "D"(pid), "S"(tid), "d"((long)SIGUSR1) : "rcx", "r11", "memory", "xmm7");
		CHECK_EQ(number, 0);
		CHECK_EQ(out, in);
		CHECK_EQ(count, 4);
	}
	say("%d %d %d %d", seen[0], seen[1], seen[2], seen[3]);
	return 0;
}
