/* sig_mask_readback - row 12: SIGSYS and SIGSEGV can be blocked, show as blocked, and calls go on, first ones included */
#include "code.h"

int main(void)
{
	uint64_t all = ~0UL, none = 0, old, now, unblockable = 1UL << (SIGKILL - 1) | 1UL << (SIGSTOP - 1);
	unsigned char *page = map_pages(1, PROT_RW);
	for (int i = 0; i < 20; i++)
		put_call(page + 61 * i, SYS_getuid);
	protect(page, 1, PROT_RX);
	for (int round = 0; round < 20; round++) {
		CHECK_EQ(raw6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&old, 8, 0, 0), 0);
		CHECK_EQ(old, 0);
		CHECK_EQ(call_at(page + 61 * round, 0, 0, 0), getuid());
		CHECK_EQ(raw6(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)&now, 8, 0, 0), 0);
		CHECK_EQ(now, all & ~unblockable);
		uint64_t one = 1UL << (SIGSYS - 1);
		CHECK_EQ(raw6(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&one, 0, 8, 0, 0), 0);
		CHECK_EQ(raw6(SYS_rt_sigprocmask, 77, 0, (long)&now, 8, 0, 0), 0);
		CHECK_EQ(now, all & ~unblockable & ~one);
		CHECK_EQ(raw6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, (long)&old, 8, 0, 0), 0);
		CHECK_EQ(old, now);
	}
	CHECK_EQ(raw6(SYS_rt_sigprocmask, 77, (long)&none, 0, 8, 0, 0), -EINVAL);
	CHECK_EQ(raw6(SYS_rt_sigprocmask, SIG_BLOCK, (long)&none, 0, 4, 0, 0), -EINVAL);
	CHECK_EQ(raw6(SYS_rt_sigprocmask, SIG_BLOCK, 8, 0, 8, 0, 0), -EFAULT);
	CHECK_EQ(raw6(SYS_rt_sigprocmask, SIG_BLOCK, 0, 8, 8, 0, 0), -EFAULT);
	say("20 rounds");
	return 0;
}
