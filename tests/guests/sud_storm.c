/* sud_storm - row 18: timer signals while calls are dispatched: none is lost, none twice, and a signal's own calls are
 * dispatched as well, or not, as the selector says just then */
#include "dispatch.h"

enum { ROUNDS = 20000 };
static volatile char selector;
static volatile int handled, ticks;

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	(void)signal;
	CHECK(info->si_code == 2 && (long)info->si_call_addr == regs[REG_RIP]);
	CHECK_EQ(info->si_syscall, SYS_getuid);
	selector = ALLOW;
	regs[REG_RAX] = 5000 + handled++;
}

static void on_tick(int signal, siginfo_t *info, void *context)
{
	char before = selector;
	(void)signal, (void)info, (void)context;
	selector = ALLOW;
	CHECK_EQ(raw0(SYS_getuid), getuid());
	ticks++;
	selector = before;
}

int main(void)
{
	int expected = 0;
	need_dispatch();
	handle_allowed(SIGSYS, on_sigsys, 0);
	handle_allowed(SIGALRM, on_tick, 0);
	CHECK_EQ(dispatch_outside_allowed(&selector), 0);
	tick_every(150);
	for (int i = 0; i < ROUNDS; i++) {
		selector = BLOCK;
		CHECK_EQ(raw0(SYS_getuid), 5000 + expected++);
		CHECK(selector == ALLOW && raw0(SYS_getuid) == getuid());
	}
	while (ticks < 20)
		raw0(SYS_getuid);
	tick_every(0);
	CHECK_EQ(handled, ROUNDS);
	say("%d dispatched", handled);
	return 0;
}
