/* sig_poll_masks - row 11: the temporary masks of ppoll, pselect6 and epoll_pwait: pending signal taken, mask shown in the handler. needs the real getpid */
#include "guest.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

static volatile int handled, in_handler, saved;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	sigset_t now;
	(void)signo, (void)info;
	sigprocmask(SIG_BLOCK, NULL, &now);
	in_handler = sigismember(&now, SIGALRM) << 2 | sigismember(&now, SIGUSR2) << 1 | sigismember(&now, SIGUSR1);
	saved = sigismember(&((ucontext_t *)context)->uc_sigmask, SIGUSR2) << 1 |
		sigismember(&((ucontext_t *)context)->uc_sigmask, SIGUSR1);
	handled++;
}

int main(void)
{
	sigset_t block, temporary;
	struct timespec minute = { 60, 0 };
	struct epoll_event event;
	int poll_fd = epoll_create1(0), round;
	handle(SIGUSR1, on_signal, SA_RESTART); /* no matter: these are never restarted */
	sigemptyset(&block), sigaddset(&block, SIGUSR1), sigaddset(&block, SIGUSR2);
	sigemptyset(&temporary), sigaddset(&temporary, SIGALRM);
	sigprocmask(SIG_BLOCK, &block, NULL);
	for (round = 0; round < 15; round++) {
		raise(SIGUSR1);
		CHECK_EQ(handled, round);
		long result = round % 3 == 0 ? ppoll(NULL, 0, &minute, &temporary) :
			round % 3 == 1 ? pselect(0, NULL, NULL, NULL, &minute, &temporary) :
			epoll_pwait(poll_fd, &event, 1, 60000, &temporary);
		CHECK(result == -1 && errno == EINTR);
		CHECK_EQ(handled, round + 1);
		CHECK_EQ(in_handler, 4 | 1); /* ALRM by the call, USR1 as it is being handled, USR2 not */
		CHECK_EQ(saved, 3);
	}
	/* nothing pending: time out, mask back */
	minute.tv_sec = 0;
	CHECK(ppoll(NULL, 0, &minute, &temporary) == 0 && pselect(0, NULL, NULL, NULL, &minute, &temporary) == 0);
	CHECK(epoll_pwait(poll_fd, &event, 1, 0, &temporary) == 0);
	sigprocmask(SIG_BLOCK, NULL, &block);
	CHECK(sigismember(&block, SIGUSR1) && sigismember(&block, SIGUSR2) && !sigismember(&block, SIGALRM));
	say("%d signals taken", round);
	return 0;
}
