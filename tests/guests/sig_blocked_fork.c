/* sig_blocked_fork - rows 11, 14: SIGFPE and SIGTRAP, blocked and sent by a child at once, while its parent may still be in
 * the fork: pending, not delivered. needs the real getpid */
#include "guest.h"

static volatile int handled;
static void on_signal(int signo, siginfo_t *info, void *context) { (void)signo, (void)info, (void)context; handled++; }

int main(void)
{
	const int signals[] = { SIGTRAP, SIGFPE };
	sigset_t set, pending;
	siginfo_t info;
	sigemptyset(&set), sigaddset(&set, SIGTRAP), sigaddset(&set, SIGFPE);
	handle(SIGTRAP, on_signal, 0), handle(SIGFPE, on_signal, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 300; i++) {
		int signo = signals[i % 2];
		pid_t parent = getpid(), pid = fork();
		if (pid == 0)
			_exit(kill(parent, signo) != 0);
		CHECK_EQ(wait_child(pid), 0x100);
		CHECK_EQ(handled, 0);
		CHECK(sigpending(&pending) == 0 && sigismember(&pending, signo));
		CHECK_EQ(sigtimedwait(&set, &info, &(struct timespec){ 5, 0 }), signo);
		CHECK_EQ(info.si_pid, pid);
	}
	say("300 signals waited for");
	return 0;
}
