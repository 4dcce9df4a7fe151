/* sig_autodisarm - row 11: SS_AUTODISARM: the handler finds the alternate stack disabled, may set another, and it comes back. needs the real getpid */
#include "guest.h"
#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

static char stack[65536], other[65536];
static volatile int handled;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	stack_t old, set = { .ss_sp = other, .ss_size = sizeof(other) };
	char *here = __builtin_frame_address(0);
	(void)info, (void)context;
	bool on_first = here > stack && here < stack + sizeof(stack), on_other = here > other && here < other + sizeof(other);
	CHECK(signo == SIGUSR1 ? on_first : on_other);
	CHECK(sigaltstack(NULL, &old) == 0);
	handled++;
	if (signo == SIGUSR2)
		return;
	CHECK_EQ(old.ss_flags, SS_DISABLE);
	CHECK(sigaltstack(&set, NULL) == 0);
	raise(SIGUSR2);
}

int main(void)
{
	stack_t old, set = { .ss_sp = stack, .ss_size = sizeof(stack), .ss_flags = (int)SS_AUTODISARM };
	CHECK(sigaltstack(&set, NULL) == 0);
	handle(SIGUSR1, on_signal, SA_ONSTACK);
	handle(SIGUSR2, on_signal, SA_ONSTACK);
	for (int again = 0; again < 10; again++) {
		raise(SIGUSR1);
		CHECK(sigaltstack(NULL, &old) == 0);
		CHECK(old.ss_sp == stack && old.ss_size == sizeof(stack) && old.ss_flags == (int)SS_AUTODISARM);
	}
	say("%d handlers", handled);
	return 0;
}
