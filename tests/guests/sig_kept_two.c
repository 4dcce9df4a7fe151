/* sig_kept_two - rows 11 and 12: SIGBUS, SIGSEGV and SIGSYS, sent while blocked, come when they are unblocked, all of them.
 * needs the real getpid */
#include "guest.h"

static volatile int seen[3], count;

static void handler(int signo, siginfo_t *info, void *context)
{
	sigset_t mask;
	(void)context;
	CHECK_EQ(info->si_signo, signo);
	CHECK_EQ(info->si_code, SI_TKILL);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	CHECK(sigismember(&mask, signo));
	seen[count++] = signo;
}

int main(void)
{
	const int signals[] = { SIGSEGV, SIGSYS, SIGBUS };
	sigset_t mask, pending;
	sigemptyset(&mask);
	for (int i = 0; i < 3; i++) {
		handle(signals[i], handler, 0);
		sigaddset(&mask, signals[i]);
	}
	for (int n = 1; n <= 3; n++) {
		count = 0;
		sigprocmask(SIG_BLOCK, &mask, NULL);
		for (int i = 0; i < n; i++)
			CHECK(syscall(SYS_tgkill, getpid(), gettid(), signals[i]) == 0);
		CHECK_EQ(count, 0);
		sigpending(&pending);
		CHECK_EQ(sigismember(&pending, SIGSYS), n > 1);
		sigprocmask(SIG_UNBLOCK, &mask, NULL);
		CHECK_EQ(count, n);
		say("%d: %d %d %d", n, seen[0], n > 1 ? seen[1] : 0, n > 2 ? seen[2] : 0);
	}
	return 0;
}
