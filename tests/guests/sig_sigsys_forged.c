/* sig_sigsys_forged - row 12: a SIGSYS that the program sends itself with si_code SYS_USER_DISPATCH is the program's. needs the real getpid */
#include "guest.h"

static volatile int handled;

static void on_sigsys(int signo, siginfo_t *info, void *context)
{
	CHECK(signo == SIGSYS && info->si_code == 2 && context && info->si_call_addr == (void *)0x1234);
	handled++;
}

int main(void)
{
	handle(SIGSYS, on_sigsys, 0);
	siginfo_t info = { .si_signo = SIGSYS, .si_code = 2 };
	info.si_call_addr = (void *)0x1234;
	info.si_syscall = SYS_getuid;
	for (int round = 0; round < 20; round++) {
		long result = syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGSYS, &info);
		CHECK_EQ(result, 0);
		CHECK_EQ(handled, round + 1);
		CHECK(raw0(SYS_getuid) == getuid());
	}
	say("%d handlers", handled);
	return 0;
}
