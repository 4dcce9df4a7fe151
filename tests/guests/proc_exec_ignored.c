/* proc_exec_ignored - rows 11 and 15: execve hands on that a signal is ignored, whichever; and a failed one changes nothing */
#include "guest.h"

static const int sigs[] = { SIGSYS, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGUSR1 };

static void *nothing(void *unused)
{
	return unused;
}

int main(int count, char **arguments)
{
	struct sigaction action;
	pthread_t thread;
	if (count > 2) {
		for (size_t i = 0; i < COUNT_OF(sigs); i++) {
			sigaction(sigs[i], NULL, &action);
			say("%s: %d %s", arguments[1], sigs[i], action.sa_handler == SIG_IGN ? "ignored" : "default");
		}
		return 0;
	}
	for (size_t i = 0; i < COUNT_OF(sigs); i++)
		signal(sigs[i], SIG_IGN);
	if (vfork() == 0) {
		execl("/proc/self/exe", "x", "vfork", "child", NULL);
		_exit(1);
	}
	CHECK(wait(NULL) > 0);
	CHECK(pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0);
	CHECK(execl("/nonexistent", "x", NULL) == -1);
	raise(SIGSYS), raise(SIGSEGV), raise(SIGBUS), raise(SIGILL);
	CHECK_EQ(raw2(SYS_stat, 8, 8), -EFAULT);
	CHECK_EQ(raw0(0x10000), -ENOSYS);
	execl("/proc/self/exe", "x", "exec", "child", NULL);
	FAIL("exec");
}
