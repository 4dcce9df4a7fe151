/* sud_sigreturn - row 18: rt_sigreturn is dispatched like any call: with SIGSYS blocked meanwhile it kills, with
 * SA_NODEFER the handler sees number 15 and lets it be made again */
#include "dispatch.h"

static volatile char selector;
static volatile int handled, returns;

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	(void)signal;
	selector = ALLOW;
	if (info->si_syscall == SYS_rt_sigreturn) {
		regs[REG_RIP] -= 2;   /* again, allowed */
		returns++;
		return;
	}
	CHECK_EQ(info->si_syscall, SYS_getuid);
	regs[REG_RAX] = 5000 + handled++;
	selector = BLOCK;
}

static void deferred(void)
{
	handle(SIGSYS, on_sigsys, 0);
	CHECK_EQ(dispatch(DISPATCH_EXCLUSIVE, 0, 0, &selector), 0);
	selector = BLOCK;
	raw0(SYS_getuid);
}

int main(void)
{
	need_dispatch();
	say("SIGSYS blocked in its handler: %#x", in_child(deferred));
	handle(SIGSYS, on_sigsys, SA_NODEFER);
	CHECK_EQ(dispatch(DISPATCH_EXCLUSIVE, 0, 0, &selector), 0);
	for (int i = 0; i < 10; i++) {
		selector = BLOCK;
		CHECK_EQ(raw0(SYS_getuid), 5000 + i);
		CHECK_EQ(selector, ALLOW);
	}
	handle_allowed(SIGSYS, on_sigsys, 0);   /* the restorer in the range that passes */
	CHECK_EQ(dispatch_outside_allowed(&selector), 0);
	selector = BLOCK;
	CHECK_EQ(raw0(SYS_getuid), 5010);
	CHECK_EQ(selector, BLOCK);
	selector = ALLOW;
	say("%d calls, %d returns dispatched", handled, returns);
	return 0;
}
