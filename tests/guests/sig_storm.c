/* sig_storm - signals.md section 7: 20000 signals with values, sent while the program makes calls: each arrives once, in order. needs the real getpid */
#include "guest.h"

enum { SIGNALS = 20000 };
static volatile int handled;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)context;
	CHECK_EQ(info->si_value.sival_int, handled);
	handled++;
}

static void send_all(pid_t to)
{
	for (int i = 0; i < SIGNALS; i++)
		while (sigqueue(to, SIGRTMIN + 3, (union sigval){ .sival_int = i }) != 0) {
			if (errno != EAGAIN)
				_exit(1);
			sched_yield();
		}
	_exit(0);
}

int main(void)
{
	int fd = memfd_create("calls", 0);
	long calls = 0;
	handle(SIGRTMIN + 3, on_signal, SA_RESTART);
	pid_t parent = getpid(), child = fork();
	if (child == 0)
		send_all(parent);
	for (; handled < SIGNALS; calls++)
		CHECK_EQ(raw3(SYS_lseek, fd, 1, SEEK_CUR), calls + 1); /* made exactly once each */
	CHECK_EQ(wait_child(child), 0x100);
	say("%d signals", handled);
	return 0;
}
