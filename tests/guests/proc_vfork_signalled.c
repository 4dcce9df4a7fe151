/* proc_vfork_signalled - rows 11, 14: a signal for who waits in vfork is handled when it goes on, also SIGSEGV, and one
 * whose handler another thread installs meanwhile */
#include "guest.h"

static volatile int handled;
static pid_t waiter;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
	handled++;
	CHECK(raw0(SYS_getppid) == getppid());
}

static void *handle_late(void *unused)
{
	(void)unused;
	sleep_us(50000);
	handle(SIGUSR1, on_signal, 0);
	CHECK(syscall(SYS_tgkill, getpid(), waiter, SIGUSR1) == 0);
	return NULL;
}

int main(void)
{
	static const int faults[] = { SIGSEGV, SIGBUS };
	pthread_t thread;
	for (volatile size_t i = 0; i < COUNT_OF(faults); i++) {
		handle(faults[i], on_signal, 0);
		pid_t child = vfork();
		if (child == 0)
			_exit(kill(getppid(), faults[i]));
		say("child %#x, handled %d", wait_child(child), handled);
	}
	waiter = gettid();
	CHECK(pthread_create(&thread, NULL, handle_late, NULL) == 0);
	pid_t child = vfork();
	if (child == 0) {
		sleep_us(200000);
		_exit(7);
	}
	say("child %#x, handled %d", wait_child(child), handled);
	return pthread_join(thread, NULL);
}
