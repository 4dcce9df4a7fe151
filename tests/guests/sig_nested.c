/* sig_nested - row 11: handlers nest, with calls at every level, and unwind in order; masks at every level. needs the real getpid */
#include "guest.h"

static const int signals[] = { SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGHUP, SIGCHLD, SIGWINCH, SIGIO };
static char order[64];
static int length, first;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	size_t level = 0;
	sigset_t now;
	(void)info, (void)context;
	while (signals[level] != signo)
		level++;
	order[length++] = (char)('a' + level);
	sigprocmask(SIG_BLOCK, NULL, &now);
	for (size_t i = 0; i < COUNT_OF(signals); i++)
		CHECK_EQ(sigismember(&now, signals[i]), i >= (size_t)first && i <= level);
	CHECK(raw0(SYS_getuid) == getuid());
	if (level + 1 < COUNT_OF(signals))
		raise(signals[level + 1]);
	order[length++] = (char)('A' + level);
}

int main(void)
{
	sigset_t now;
	for (size_t i = 0; i < COUNT_OF(signals); i++)
		handle(signals[i], on_signal, i % 2 ? SA_ONSTACK : 0);
	raise(signals[0]);
	raise(signals[first = 4]);
	sigprocmask(SIG_BLOCK, NULL, &now);
	for (size_t i = 0; i < COUNT_OF(signals); i++)
		CHECK(!sigismember(&now, signals[i]));
	say("%s", order);
	return 0;
}
