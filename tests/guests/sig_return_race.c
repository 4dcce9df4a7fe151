/* sig_return_race - row 11: a thread that makes no call of its own gets a second signal while the first one's handler
 * returns: it comes at once */
#include "guest.h"

static volatile long first, second, stop;
static void handler(int signo, siginfo_t *info, void *context)
{
	(void)info, (void)context;
	signo == SIGUSR1 ? first++ : second++;
}
static void *busy(void *unused)
{
	for (; !stop;);
	return unused;
}

static void wait_for(const volatile long *counter, long value)
{
	for (time_t end = time(NULL) + 5; *counter != value;)
		if (time(NULL) > end)
			FAIL("signal %d did not come", counter == &first ? 1 : 2);
}

int main(void)
{
	unsigned seed = 1;
	pthread_t thread;
	handle(SIGUSR1, handler, SA_RESTART), handle(SIGUSR2, handler, SA_RESTART);
	CHECK(pthread_create(&thread, NULL, busy, NULL) == 0);
	for (long round = 1; round <= 2000; round++, seed = seed * 1103515245 + 12345) {
		pthread_kill(thread, SIGUSR1);
		wait_for(&first, round);
		for (volatile unsigned pause = seed >> 16 & 1023; pause > 0;)
			pause--;
		pthread_kill(thread, SIGUSR2);
		wait_for(&second, round);
	}
	stop = 1;
	return 0;
}
