/* sig_exit_timer - row 11: a timer whose signal is handled fires on and on while the program exits; status and output stay */
#include "guest.h"

static void handler(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info, (void)context;
}

int main(void)
{
	for (int round = 0; round < 20; round++) {
		pid_t pid = fork();
		if (pid == 0) {
			handle(SIGALRM, handler, SA_RESTART);
			tick_every(round % 2 ? 50 : 300);
			exit(7);
		}
		CHECK_EQ(wait_child(pid), 0x107);
	}
	say("20 exits");
	return 0;
}
