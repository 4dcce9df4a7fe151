/* sig_sigsys_dies - row 12: kill(SIGSYS) without a handler kills with SIGSYS (guests.py compares the status). needs the real getpid */
#include "guest.h"

int main(void)
{
	pid_t child = fork();
	if (child == 0) {
		raise(SIGSYS);
		_exit(0);
	}
	say("child: %#x", wait_child(child));
	signal(SIGSYS, SIG_IGN);
	CHECK(kill(getpid(), SIGSYS) == 0 && raise(SIGSYS) == 0);
	CHECK(raw0(SYS_getuid) == getuid());
	say("ignored");
	signal(SIGSYS, SIG_DFL);
	kill(getpid(), SIGSYS);
	FAIL("survived");
}
