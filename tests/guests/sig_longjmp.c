/* sig_longjmp - row 13: siglongjmp out of handlers that interrupted a blocked read, 1000 times, then all still works */
#include "guest.h"

static sigjmp_buf jump;

static void on_tick(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info, (void)context;
	siglongjmp(jump, 1);
}

int main(void)
{
	static volatile int jumps;
	int fds[2];
	char byte;
	CHECK(pipe(fds) == 0);
	handle(SIGALRM, on_tick, SA_RESTART);
	while (jumps < 1000) {
		if (sigsetjmp(jump, 1)) {
			jumps++;
			continue;
		}
		struct itimerval timer = { { 0, 0 }, { 0, 300 } };
		setitimer(ITIMER_REAL, &timer, NULL);
		read(fds[0], &byte, 1);
		FAIL("read returned");
	}
	CHECK(write(fds[1], "x", 1) == 1 && read(fds[0], &byte, 1) == 1 && byte == 'x');
	say("%d jumps", jumps);
	return 0;
}
