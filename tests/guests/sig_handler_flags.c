/* sig_handler_flags - row 11: SA_RESETHAND, SA_NODEFER, a one-argument handler, SIG_IGN and SIG_DFL. needs the real getpid */
#include "guest.h"

static volatile int depth, deepest, plain;

static void on_nodefer(int signo, siginfo_t *info, void *context)
{
	(void)info, (void)context;
	if (++depth < 5)
		raise(signo);
	deepest = depth > deepest ? depth : deepest;
}

static void on_plain(int signo)
{
	CHECK(signo == SIGUSR2);
	plain++;
}

int main(void)
{
	struct sigaction now;
	handle(SIGUSR1, on_nodefer, SA_NODEFER);
	raise(SIGUSR1);
	CHECK_EQ(deepest, 5);
	signal(SIGUSR2, on_plain);
	raise(SIGUSR2);
	struct sigaction once = { .sa_handler = on_plain, .sa_flags = (int)SA_RESETHAND };
	CHECK(sigaction(SIGUSR2, &once, NULL) == 0 && raise(SIGUSR2) == 0);
	CHECK(sigaction(SIGUSR2, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
	CHECK_EQ(now.sa_flags & 0x7fffffff & ~0x04000000, 0);
	CHECK_EQ(plain, 2);
	signal(SIGTERM, SIG_IGN);
	raise(SIGTERM);
	CHECK(signal(SIGTERM, SIG_DFL) == SIG_IGN);
	pid_t child = fork();
	if (child == 0) {
		CHECK(sigaction(SIGUSR2, &once, NULL) == 0);
		raise(SIGUSR2);
		raise(SIGUSR2);
		_exit(0);
	}
	CHECK_EQ(wait_child(child), 0x200 | SIGUSR2);
	say("depth %d", deepest);
	return 0;
}
