/* proc_vfork_killed - row 14: who waits in vfork dies of SIGTERM at once, and takes a signal that it handles when it goes
 * on. needs the real getpid */
#include "guest.h"

static volatile int count;

static void handler(int signo)
{
	count += signo == SIGTERM;
}

static void wait_in_vfork(int longest)
{
	static const struct timespec time = { 0, 10000000 };
	pid_t me = getpid(), child = vfork();
	if (child == 0) {
		for (int i = 0; i < longest && raw0(SYS_getppid) == me; i++)
			raw2(SYS_nanosleep, &time, 0);
		_exit(0);
	}
	CHECK(count == 1);
	_exit(3);
}

int main(void)
{
	for (int is_handled = 0; is_handled < 2; is_handled++) {
		time_t start = time(NULL);
		pid_t pid = fork();
		if (pid == 0) {
			signal(SIGTERM, is_handled ? handler : SIG_DFL);
			wait_in_vfork(is_handled ? 30 : 500);
		}
		sleep_us(100000);
		CHECK(kill(pid, SIGTERM) == 0);
		say("%#x", wait_child(pid));
		CHECK(time(NULL) - start < 4);
	}
	return 0;
}
