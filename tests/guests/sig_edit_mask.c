/* sig_edit_mask - row 11: a handler edits uc_sigmask: it holds after the handler, SIGSYS and SIGSEGV included, and calls go on. needs the real getpid */
#include "guest.h"

static volatile int handled;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	sigset_t *mask = &((ucontext_t *)context)->uc_sigmask;
	(void)signo, (void)info;
	static const int block[] = { SIGSYS, SIGSEGV, SIGTERM };
	for (size_t i = 0; i < COUNT_OF(block); i++)
		handled % 2 ? sigdelset(mask, block[i]) : sigaddset(mask, block[i]);
	handled++;
}

int main(void)
{
	sigset_t now;
	handle(SIGUSR1, on_signal, 0);
	for (int round = 0; round < 6; round++) {
		raise(SIGUSR1);
		sigprocmask(SIG_BLOCK, NULL, &now);
		CHECK_EQ(sigismember(&now, SIGSYS), round % 2 == 0);
		CHECK_EQ(sigismember(&now, SIGSEGV), round % 2 == 0);
		CHECK_EQ(sigismember(&now, SIGTERM), round % 2 == 0);
		CHECK(raw0(SYS_getuid) == getuid());
	}
	say("%d edits", handled);
	return 0;
}
