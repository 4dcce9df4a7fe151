/* sig_realtime_order - row 11: queued real-time signals arrive lowest number first, each in order, with their values. needs the real getpid */
#include "guest.h"

static volatile int handled;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)context;
	CHECK(info->si_code == SI_QUEUE && info->si_pid == getpid() && info->si_uid == getuid());
	/* all are delivered at once, the handler of the last one running first unless the mask holds the others back */
	CHECK_EQ(signo, SIGRTMIN + handled / 10);
	CHECK_EQ(info->si_value.sival_int, 100 * (signo - SIGRTMIN) + handled % 10);
	handled++;
}

int main(void)
{
	sigset_t block;
	sigemptyset(&block);
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	sigfillset(&action.sa_mask);
	for (int i = 0; i < 5; i++)
		sigaddset(&block, SIGRTMIN + i), sigaction(SIGRTMIN + i, &action, NULL);
	for (int round = 0; round < 10; round++) {
		handled = 0;
		sigprocmask(SIG_BLOCK, &block, NULL);
		for (int value = 0; value < 10; value++)
			for (int i = 4; i >= 0; i--)
				CHECK(sigqueue(getpid(), SIGRTMIN + i, (union sigval){ .sival_int = 100 * i + value }) == 0);
		CHECK_EQ(handled, 0);
		sigprocmask(SIG_UNBLOCK, &block, NULL);
		CHECK_EQ(handled, 50);
	}
	say("500 signals in order");
	return 0;
}
