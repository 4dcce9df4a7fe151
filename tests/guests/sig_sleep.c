/* sig_sleep - rows 11 and 13: nanosleep and clock_nanosleep: EINTR with the remaining time; restart_syscall after SIGSTOP and SIGCONT */
#include "guest.h"

static volatile int handled;

static void on_tick(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info, (void)context;
	handled++;
}

int main(void)
{
	struct timespec time = { 5, 0 }, rest = { 0, 0 };
	handle(SIGALRM, on_tick, SA_RESTART);
	for (int way = 0; way < 4; way++) {
		struct itimerval timer = { { 0, 0 }, { 0, 20000 } };
		setitimer(ITIMER_REAL, &timer, NULL);
		long result = way % 2 ? raw2(SYS_nanosleep, &time, &rest) :
			raw6(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, (long)&time, (long)&rest, 0, 0);
		CHECK_EQ(result, -EINTR);
		CHECK(handled == way + 1 && rest.tv_sec == 4);
	}
	pid_t child = fork();
	if (child == 0) { /* stopped and continued, the sleep goes on where it was: restart_syscall */
		time.tv_sec = 0, time.tv_nsec = 200000000;
		_exit(raw2(SYS_nanosleep, &time, &rest) == 0 ? 7 : 8);
	}
	for (int i = 0; i < 3; i++) {
		wait_asleep(child, child);
		kill(child, SIGSTOP);
		int status;
		CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
		kill(child, SIGCONT);
	}
	CHECK_EQ(wait_child(child), 0x107);
	say("interrupted and restarted");
	return 0;
}
