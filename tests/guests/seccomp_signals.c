/* seccomp_signals - row 19: under a filter that allows little more than rt_sigreturn, timer signals are delivered to known and fresh sites, on both stacks */
#include "seccomp.h"

static volatile sig_atomic_t ticks, users;
static unsigned char *page;

static void on_tick(int signal, siginfo_t *info, void *context)
{
	(void)info, (void)context;
	ticks += signal == SIGALRM;
	call_at(page + 16 * (200 + ticks % 50), 0, 0, 0);
}

static void on_user(int signal, siginfo_t *info, void *context)
{
	CHECK(signal == SIGUSR1 && info->si_code == SI_TKILL);
	CHECK((uintptr_t)&context > 4096);
	users++;
}

int main(void)
{
	static char stack[65536];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	page = map_pages(1, PROT_RW);
	for (int i = 0; i < 250; i++)
		put_call(page + 16 * i, SYS_getuid);
	protect(page, 1, PROT_RX);
	CHECK(sigaltstack(&alternate, NULL) == 0);
	handle(SIGALRM, on_tick, SA_RESTART);
	handle(SIGUSR1, on_user, SA_ONSTACK | SA_RESETHAND);
	long pid = getpid(), uid = getuid();
	no_new_privileges();
	tick_every(300);
	ALLOW_ONLY(SYS_write, SYS_exit_group, SYS_rt_sigreturn, SYS_getuid, SYS_tgkill);
	while (ticks < 100)
		for (int i = 0; i < 200; i++)
			CHECK_EQ(call_at(page + 16 * i, 0, 0, 0), uid);
	CHECK_EQ(syscall(SYS_tgkill, pid, pid, SIGUSR1), 0);
	CHECK(users == 1);
	say("ticks and users handled");
	syscall(SYS_tgkill, pid, pid, SIGUSR1); /* SA_RESETHAND: dies now */
	_exit(0);
}
