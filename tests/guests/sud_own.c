/* sud_own - row 18: the program uses Syscall User Dispatch itself: its handler sees the calls outside its range; off again */
#include "code.h"
#include <sys/prctl.h>
#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

static volatile char selector;
static volatile int handled;
static unsigned char *page;

static void on_sigsys(int signo, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	selector = 0; /* allow */
	CHECK(signo == SIGSYS && info->si_code == 2);
	CHECK_EQ(info->si_syscall, SYS_getuid);
	CHECK_EQ((unsigned char *)info->si_call_addr - page, CODE_SITE + 2);
	CHECK_EQ(regs[REG_RIP], info->si_call_addr);
	regs[REG_RAX] = 5000 + handled++;
}

int main(void)
{
	page = map_pages(1, PROT_RW);
	put_call(page, SYS_getuid);
	protect(page, 1, PROT_RX);
	handle(SIGSYS, on_sigsys, 0);
	CHECK_EQ(call_at(page, 0, 0, 0), getuid());
	if (prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, 0, 0, &selector) != 0)
		SKIP("prctl(PR_SET_SYSCALL_USER_DISPATCH): errno %d", errno);
	for (int round = 0; round < 10; round++) {
		CHECK_EQ(call_at(page, 0, 0, 0), getuid());
		selector = 1; /* block */
		CHECK_EQ(call_at(page, 0, 0, 0), 5000 + round);
	}
	CHECK(prctl(PR_SET_SYSCALL_USER_DISPATCH, 0, 0, 0, 0) == 0);
	selector = 1;
	CHECK_EQ(call_at(page, 0, 0, 0), getuid());
	CHECK(prctl(PR_SET_SYSCALL_USER_DISPATCH, 0, 1, 0, 0) == -1 && errno == EINVAL);
	say("%d calls dispatched", handled);
	return 0;
}
