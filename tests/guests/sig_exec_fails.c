/* sig_exec_fails - rows 11 and 15: signals that come before and in an execve that fails: each arrives, once, with its value.
 * needs the real getpid */
#include "guest.h"

static const int sigs[] = { SIGUSR1, SIGUSR2, SIGHUP, SIGALRM, SIGFPE, SIGSEGV };
static volatile int count[65], value[65];

static void handler(int signo, siginfo_t *info, void *context)
{
	(void)context;
	CHECK_EQ(info->si_signo, signo);
	count[signo]++;
	value[signo] = value[signo] * 10 + info->si_value.sival_int;
}

int main(void)
{
	pid_t me = getpid(), pid;
	for (int i = 0; i < 6; i++)
		handle(sigs[i], handler, 0);
	handle(SIGRTMIN, handler, 0);
	pid = fork();
	if (pid == 0) {
		sleep_us(30000);
		for (int i = 0; i < 6; i++)
			CHECK(sigqueue(me, sigs[i], (union sigval){ .sival_int = i + 1 }) == 0);
		for (int i = 0; i < 3; i++)
			CHECK(sigqueue(me, SIGRTMIN, (union sigval){ .sival_int = i + 1 }) == 0);
		_exit(0);
	}
	execl("/nonexistent/program", "x", NULL);
	CHECK_EQ(errno, ENOENT);
	while (count[SIGRTMIN] < 3)
		sleep_us(1000);
	for (int i = 0; i < 6; i++)
		say("%d: %d times, value %d", i, count[sigs[i]], value[sigs[i]]);
	say("values in order: %d", value[SIGRTMIN]);
	return 0;
}
