/* sig_self_pipe - signals.md section 1: no wake-up is lost: a handler writes to the pipe on which the program blocks, 3000 times */
#include "guest.h"

static int fds[2];

static void on_tick(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info, (void)context;
	CHECK(write(fds[1], "t", 1) == 1);
}

int main(void)
{
	char byte;
	CHECK(pipe(fds) == 0);
	handle(SIGALRM, on_tick, SA_RESTART);
	for (int round = 0; round < 3000; round++) {
		struct itimerval timer = { { 0, 0 }, { 0, 1 + round % 60 } };
		CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
		for (int i = 0; i < round % 7; i++)
			raw0(SYS_getuid);
		CHECK_EQ(read(fds[0], &byte, 1), 1); /* hangs if the handler waits for this call to end */
	}
	say("3000 wake-ups");
	return 0;
}
