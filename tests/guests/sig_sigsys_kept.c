/* sig_sigsys_kept - row 12: a storm of tgkill(SIGSYS) at a thread that has it blocked: every call is answered. needs the real getpid */
#include "guest.h"

static volatile bool stop;
static pid_t target;

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
}

static void *send_all(void *unused)
{
	while (!stop)
		CHECK(raw3(SYS_tgkill, target, target, SIGSYS) == 0);
	return unused;
}

int main(void)
{
	pthread_t thread;
	sigset_t mask;
	time_t end = time(NULL) + 2;

	handle(SIGSYS, on_sigsys, 0);
	target = getpid();
	CHECK(pthread_create(&thread, NULL, send_all, NULL) == 0);
	sigemptyset(&mask);
	sigaddset(&mask, SIGSYS);
	CHECK(pthread_sigmask(SIG_BLOCK, &mask, NULL) == 0);
	while (time(NULL) < end)
		for (int i = 0; i < 1000; i++)
			CHECK_EQ(raw0(SYS_getpid), target);
	stop = true;
	CHECK(pthread_join(thread, NULL) == 0);
	say("every call answered");
	return 0;
}
