/* sig_restart - row 11: SA_RESTART: a blocked read goes on after the handler; without it EINTR. needs the real getpid */
#include "blocked.h"

static int fds[2];
static volatile int handled;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	CHECK(signo == SIGUSR1 && info->si_code == SI_TKILL && context);
	handled++;
}

static void feed(void)
{
	CHECK(write(fds[1], "x", 1) == 1);
}

int main(void)
{
	char byte;
	CHECK(pipe(fds) == 0);
	for (int round = 0; round < 10; round++) {
		handle(SIGUSR1, on_signal, SA_RESTART);
		pthread_t thread = start_poke(&(struct poke){ SIGUSR1, feed });
		CHECK_EQ(read(fds[0], &byte, 1), 1);
		CHECK(handled == 2 * round + 1 && pthread_join(thread, NULL) == 0);
		handle(SIGUSR1, on_signal, 0);
		thread = start_poke(&(struct poke){ SIGUSR1, NULL });
		CHECK(read(fds[0], &byte, 1) == -1 && errno == EINTR);
		CHECK(handled == 2 * round + 2 && pthread_join(thread, NULL) == 0);
	}
	say("10 restarted, 10 interrupted");
	return 0;
}
