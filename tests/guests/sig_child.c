/* sig_child - row 11: SIGCHLD with its siginfo; SA_NOCLDWAIT and SIG_IGN leave no zombies. needs the real getpid */
#include "guest.h"

static volatile int handled, code, status;

static void on_child(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)context;
	handled++, code = info->si_code, status = info->si_status;
}

int main(void)
{
	sigset_t block, old;
	sigemptyset(&block), sigaddset(&block, SIGCHLD);
	sigprocmask(SIG_BLOCK, &block, &old);
	handle(SIGCHLD, on_child, SA_RESTART | SA_NOCLDSTOP);
	for (int round = 0; round < 10; round++) {
		pid_t child = fork();
		if (child == 0 && round % 2)
			raise(SIGKILL);
		if (child == 0)
			_exit(round);
		CHECK(sigsuspend(&old) == -1 && handled == round + 1);
		CHECK_EQ(code, round % 2 ? CLD_KILLED : CLD_EXITED);
		CHECK_EQ(status, round % 2 ? SIGKILL : round);
		CHECK_EQ(wait_child(child), round % 2 ? 0x209 : 0x100 | round);
	}
	handle(SIGCHLD, on_child, SA_NOCLDWAIT);
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	CHECK(waitpid(child, NULL, 0) == -1 && errno == ECHILD);
	signal(SIGCHLD, SIG_IGN);
	if ((child = fork()) == 0)
		_exit(0);
	CHECK(waitpid(child, NULL, 0) == -1 && errno == ECHILD);
	say("%d children", handled);
	return 0;
}
