/* sig_sigsys_suspend - row 12: a SIGSYS that is pending, blocked, is let in by the mask of sigsuspend, ppoll, pselect6, epoll_pwait:
 * the handler runs, the call answers EINTR, the old mask holds after it; also SIGSEGV. needs the real getpid */
#include "guest.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

static volatile int handled, in_handler;
static void on_signal(int signo, siginfo_t *info, void *context)
{
	sigset_t now;
	(void)info;
	sigprocmask(SIG_BLOCK, NULL, &now);
	in_handler = sigismember(&now, SIGUSR1) << 1 | sigismember(&((ucontext_t *)context)->uc_sigmask, signo);
	handled++;
}

int main(void)
{
	sigset_t block, temporary, now;
	struct epoll_event event;
	struct timespec time = { 5, 0 };
	int poll_fd = epoll_create1(0);
	handle(SIGSYS, on_signal, SA_RESTART), handle(SIGSEGV, on_signal, 0);
	sigemptyset(&temporary), sigaddset(&temporary, SIGUSR1);
	for (int round = 0; round < 10; round++) {
		int signo = round < 5 ? SIGSYS : SIGSEGV;
		sigemptyset(&block), sigaddset(&block, signo);
		sigprocmask(SIG_SETMASK, &block, NULL);
		raise(signo);
		CHECK_EQ(handled, round);
		long result = round % 5 == 0 ? sigsuspend(&temporary) : round % 5 == 1 ? ppoll(NULL, 0, &time, &temporary) :
			round % 5 == 2 ? pselect(0, NULL, NULL, NULL, &time, &temporary) :
			round % 5 == 3 ? epoll_pwait(poll_fd, &event, 1, 5000, &temporary) :
			syscall(441 /* epoll_pwait2 */, poll_fd, &event, 1, &time, &temporary, 8);
		if (round % 5 == 4 && result == -1 && errno == ENOSYS)
			SKIP("no epoll_pwait2");
		CHECK(result == -1 && errno == EINTR);
		CHECK_EQ(handled, round + 1);
		CHECK_EQ(in_handler, 3);
		sigprocmask(SIG_BLOCK, NULL, &now);
		CHECK(sigismember(&now, signo) && !sigismember(&now, SIGUSR1) && sigpending(&now) == 0 && sigisemptyset(&now));
	}
	say("%d let in", handled);
	return 0;
}
