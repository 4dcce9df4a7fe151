/* sig_alarm_dies - row 11: a signal with default action kills during a blocked call (guests.py compares the status) */
#include "guest.h"

int main(void)
{
	int fds[2];
	char byte;
	CHECK(pipe(fds) == 0);
	struct itimerval timer = { { 0, 0 }, { 0, 20000 } };
	setitimer(ITIMER_REAL, &timer, NULL);
	say("waiting");
	read(fds[0], &byte, 1);
	FAIL("survived");
}
