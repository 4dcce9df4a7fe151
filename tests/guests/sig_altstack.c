/* sig_altstack - row 11: sigaltstack: query, set, use, errors as the kernel's. needs the real getpid */
#include "guest.h"

static char stack[65536] __attribute__((aligned(16)));
static volatile int handled;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	stack_t old, none = { .ss_flags = SS_DISABLE }, *saved = &((ucontext_t *)context)->uc_stack;
	char *here = __builtin_frame_address(0);
	(void)info;
	bool on = here > stack && here < stack + sizeof(stack);
	CHECK_EQ(on, signo == SIGUSR1);
	CHECK(sigaltstack(NULL, &old) == 0);
	CHECK_EQ(old.ss_flags, on ? SS_ONSTACK : 0);
	CHECK(old.ss_sp == stack && old.ss_size == sizeof(stack));
	CHECK(saved->ss_sp == stack && saved->ss_size == sizeof(stack) && saved->ss_flags == 0);
	if (on)
		CHECK(sigaltstack(&none, NULL) == -1 && errno == EPERM);
	handled++;
}

int main(void)
{
	stack_t old, set = { .ss_sp = stack, .ss_size = sizeof(stack) };
	CHECK(sigaltstack(NULL, &old) == 0 && old.ss_flags == SS_DISABLE && old.ss_size == 0 && !old.ss_sp);
	stack_t small = { .ss_sp = stack, .ss_size = 1024 }, bad = { .ss_sp = stack, .ss_size = 65536, .ss_flags = 8 };
	CHECK(sigaltstack(&small, NULL) == -1 && errno == ENOMEM);
	CHECK(sigaltstack(&bad, NULL) == -1 && errno == EINVAL);
	CHECK(raw2(SYS_sigaltstack, 8, 0) == -EFAULT && raw2(SYS_sigaltstack, 0, 8) == -EFAULT);
	CHECK(sigaltstack(&set, &old) == 0 && old.ss_flags == SS_DISABLE);
	CHECK(sigaltstack(NULL, &old) == 0 && old.ss_sp == stack && old.ss_size == sizeof(stack) && old.ss_flags == 0);
	handle(SIGUSR1, on_signal, SA_ONSTACK);
	handle(SIGUSR2, on_signal, 0);
	for (int again = 0; again < 10; again++)
		raise(SIGUSR1), raise(SIGUSR2);
	CHECK_EQ(handled, 20);
	set.ss_flags = SS_DISABLE;
	CHECK(sigaltstack(&set, &old) == 0 && old.ss_sp == stack && old.ss_flags == 0);
	CHECK(sigaltstack(NULL, &old) == 0 && old.ss_flags == SS_DISABLE);
	say("%d handlers", handled);
	return 0;
}
