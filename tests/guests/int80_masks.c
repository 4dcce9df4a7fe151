/* int80_masks - row 22: the old calls of the 32-bit table about signals, whatever they answer, and what they can't do:
 * leave the program without its next system call */
#include "guest.h"

__attribute__((noinline)) static long call32(long nr, long a, long b)
{
	long result;
	asm volatile("int $0x80" : "=a"(result) : "0"(nr), "b"(a), "c"(b), "d"(0) : "r8", "r9", "r10", "r11", "memory");
	return result;
}

int main(void)
{
	enum { SIGNAL = 48, SGETMASK = 68, SSETMASK = 69, PRCTL = 172, CLOSE_RANGE = 436 };
	sigset_t mask;
	if (call32(199, 0, 0) == -ENOSYS)
		SKIP("no 32-bit calls in this kernel");
	call32(SSETMASK, 0xffffffff, 0);
	CHECK_EQ(raw0(SYS_getuid), getuid());
	call32(SSETMASK, 0, 0);
	CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0 && !sigismember(&mask, SIGSYS));
	for (int signo = 1; signo < 32; signo++) {
		call32(SIGNAL, signo, (long)SIG_IGN);
		CHECK_EQ(raw0(SYS_getppid), getppid());
		call32(SIGNAL, signo, (long)SIG_DFL);
	}
	CHECK_EQ(call32(CLOSE_RANGE, 3, 0xffffffff), 0);
	CHECK_EQ(call32(PRCTL, 3 /* PR_GET_DUMPABLE */, 0), 1);
	CHECK_EQ(raw0(SYS_getuid), getuid());
	return 0;
}
