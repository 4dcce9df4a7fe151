/* sig_sigsys_restart - rows 11, 12: SIGSYS, SIGSEGV, SIGBUS, sent to a thread in a blocked read: it goes
 * on with SA_RESTART, and where the signal is ignored, or blocked; EINTR without SA_RESTART. needs the real getpid */
#include "blocked.h"

static int fds[2];
static volatile int handled;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	CHECK(info->si_signo == signo && info->si_code == SI_TKILL && context);
	handled++;
}

static void feed(void)
{
	CHECK(write(fds[1], "x", 1) == 1);
}

static void expect_restart(int signo, int calls)
{
	char byte;
	pthread_t thread = start_poke(&(struct poke){ signo, feed });
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	CHECK_EQ(handled, calls);
	CHECK(pthread_join(thread, NULL) == 0);
}

static void try(int signo)
{
	char byte;
	sigset_t set;
	handled = 0;
	sigemptyset(&set), sigaddset(&set, signo);
	handle(signo, on_signal, SA_RESTART);
	expect_restart(signo, 1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	expect_restart(signo, 1);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	CHECK_EQ(handled, 2);
	handle(signo, on_signal, 0);
	pthread_t thread = start_poke(&(struct poke){ signo, NULL });
	CHECK(read(fds[0], &byte, 1) == -1 && errno == EINTR && handled == 3);
	CHECK(pthread_join(thread, NULL) == 0);
	signal(signo, SIG_IGN);
	expect_restart(signo, 3);
	signal(signo, SIG_DFL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	expect_restart(signo, 3);
	signal(signo, SIG_IGN);   /* drops it */
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int main(void)
{
	CHECK(pipe(fds) == 0);
	try(SIGSYS), try(SIGSEGV), try(SIGBUS), try(SIGILL), try(SIGUSR1);
	say("restarted, and interrupted");
	return 0;
}
