/* sig_pause - row 11: pause and sigsuspend end with EINTR after the handler; sigsuspend's mask holds in it. needs the real getpid */
#include "blocked.h"

static volatile int handled, usr2_blocked, alrm_blocked, saved_usr2;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	sigset_t now;
	(void)info;
	sigprocmask(SIG_BLOCK, NULL, &now);
	usr2_blocked = sigismember(&now, SIGUSR2);
	alrm_blocked = sigismember(&now, SIGALRM);
	saved_usr2 = sigismember(&((ucontext_t *)context)->uc_sigmask, SIGUSR2);
	CHECK(sigismember(&now, signo));
	handled++;
}

int main(void)
{
	sigset_t block, temporary, after;
	handle(SIGUSR1, on_signal, 0);
	for (int round = 0; round < 5; round++) {
		pthread_t thread = start_poke(&(struct poke){ SIGUSR1, NULL });
		CHECK(pause() == -1 && errno == EINTR && handled == 2 * round + 1 && !usr2_blocked);
		pthread_join(thread, NULL);
		sigemptyset(&block), sigaddset(&block, SIGUSR1), sigaddset(&block, SIGUSR2);
		sigemptyset(&temporary), sigaddset(&temporary, SIGALRM);
		sigprocmask(SIG_BLOCK, &block, NULL);
		raise(SIGUSR1);
		CHECK(handled == 2 * round + 1);
		CHECK(sigsuspend(&temporary) == -1 && errno == EINTR && handled == 2 * round + 2);
		/* in the handler: the temporary mask; to come back: the mask before sigsuspend */
		CHECK(!usr2_blocked && alrm_blocked && saved_usr2);
		sigprocmask(SIG_UNBLOCK, &block, &after);
		CHECK(sigismember(&after, SIGUSR1) && sigismember(&after, SIGUSR2) && !sigismember(&after, SIGALRM));
	}
	say("5 pauses, 5 suspensions");
	return 0;
}
