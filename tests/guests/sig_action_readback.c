/* sig_action_readback - rows 11 and 12: sigaction gives back exactly what was set: handler, flags, mask with SIGSYS, restorer */
#include "guest.h"

struct kernel_action { void *handler; unsigned long flags; void *restorer; uint64_t mask; };

static void handler(int signo)
{
	(void)signo;
}

int main(void)
{
	static const unsigned long flags[] = { 0, SA_SIGINFO, SA_ONSTACK | SA_RESTART, SA_NODEFER, SA_RESETHAND,
		SA_NOCLDSTOP | SA_NOCLDWAIT, SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER };
	static const uint64_t masks[] = { 0, ~0UL, 1UL << (SIGSYS - 1), 1UL << (SIGSEGV - 1) | 1UL << 63 };
	uint64_t unblockable = 1UL << (SIGKILL - 1) | 1UL << (SIGSTOP - 1);
	for (int signo = 1; signo <= 64; signo++) {
		struct kernel_action old, now, set = { .restorer = (void *)0x123450 };
		long expected = signo == SIGKILL || signo == SIGSTOP ? -EINVAL : 0;
		for (size_t f = 0; f < COUNT_OF(flags); f++)
			for (size_t m = 0; m < COUNT_OF(masks); m++) {
				set.handler = f == 0 ? SIG_DFL : f == 1 ? SIG_IGN : (void *)handler;
				set.flags = flags[f] | 0x04000000;
				set.mask = masks[m];
				CHECK_EQ(raw6(SYS_rt_sigaction, signo, (long)&set, 0, 8, 0, 0), expected);
				if (expected)
					continue;
				CHECK_EQ(raw6(SYS_rt_sigaction, signo, 0, (long)&now, 8, 0, 0), 0);
				CHECK(now.handler == set.handler && now.restorer == set.restorer);
				CHECK_EQ(now.flags, set.flags);
				CHECK_EQ(now.mask, set.mask & ~unblockable);
			}
		struct kernel_action none = { 0 };
		CHECK_EQ(raw6(SYS_rt_sigaction, signo, (long)&none, (long)&old, 8, 0, 0), expected);
		CHECK(expected || (old.handler == now.handler && old.mask == now.mask));
	}
	CHECK_EQ(raw6(SYS_rt_sigaction, SIGUSR1, 8, 0, 8, 0, 0), -EFAULT);
	CHECK_EQ(raw6(SYS_rt_sigaction, SIGUSR1, 0, 8, 8, 0, 0), -EFAULT);
	CHECK_EQ(raw6(SYS_rt_sigaction, SIGUSR1, 0, 0, 4, 0, 0), -EINVAL);
	CHECK_EQ(raw6(SYS_rt_sigaction, 65, 0, 0, 8, 0, 0), -EINVAL);
	CHECK_EQ(raw6(SYS_rt_sigaction, 0, 0, 0, 8, 0, 0), -EINVAL);
	say("64 signals read back");
	return 0;
}
