/* sig_uring_mask - row 11: the temporary mask of io_uring_enter, plain and in its extended argument: pending
 * signal taken, mask shown in the handler; SIGSYS, too. needs the real getpid */
#include "guest.h"
#include <linux/io_uring.h>

static volatile int handled, in_handler, saved;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	sigset_t now;
	(void)info;
	sigprocmask(SIG_BLOCK, NULL, &now);
	in_handler = sigismember(&now, SIGALRM) << 2 | sigismember(&now, SIGUSR2) << 1 | sigismember(&now, signo);
	saved = sigismember(&((ucontext_t *)context)->uc_sigmask, SIGUSR2) << 1 |
		sigismember(&((ucontext_t *)context)->uc_sigmask, signo);
	handled++;
}

static int ring;

static long wait_with(const sigset_t *mask, bool is_extended)
{
	struct io_uring_getevents_arg extended = { .sigmask = (uintptr_t)mask, .sigmask_sz = 8 };
	if (is_extended)
		return raw6(SYS_io_uring_enter, ring, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
			    (long)&extended, sizeof(extended));
	return raw6(SYS_io_uring_enter, ring, 0, 1, IORING_ENTER_GETEVENTS, (long)mask, 8);
}

int main(void)
{
	struct io_uring_params parameters = { 0 };
	sigset_t block, temporary;
	ring = (int)raw2(SYS_io_uring_setup, 4, (long)&parameters);
	if (ring < 0)
		SKIP("io_uring_setup answers %d", ring);
	handle(SIGUSR1, on_signal, SA_RESTART), handle(SIGSYS, on_signal, SA_RESTART);
	sigemptyset(&block), sigaddset(&block, SIGUSR1), sigaddset(&block, SIGUSR2), sigaddset(&block, SIGSYS);
	sigemptyset(&temporary), sigaddset(&temporary, SIGALRM);
	sigprocmask(SIG_BLOCK, &block, NULL);
	for (int round = 0; round < 20; round++) {
		raise(round % 4 < 2 ? SIGUSR1 : SIGSYS);
		CHECK_EQ(handled, round);
		CHECK_EQ(wait_with(&temporary, round % 2), -EINTR);
		CHECK_EQ(handled, round + 1);
		CHECK_EQ(in_handler, 4 | 1);
		CHECK_EQ(saved, 3);
	}
	sigprocmask(SIG_BLOCK, NULL, &block);
	CHECK(sigismember(&block, SIGUSR1) && sigismember(&block, SIGSYS) && !sigismember(&block, SIGALRM));
	say("20 signals taken");
	return 0;
}
