/* sig_stopped - rows 11 and 13: calls with a time limit, stopped by SIGSTOP and continued, three times: restart_syscall or EINTR, as
 * the kernel has it; the limit holds */
#include "guest.h"
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>

static int word, fds[2];

static long call(int which)
{
	struct timespec time = { 0, 100000000 };
	struct pollfd poll_fd = { fds[0], POLLIN, 0 };
	struct epoll_event event;
	uint64_t set = 1UL << (SIGUSR1 - 1);
	switch (which) {
	case 0: return raw2(SYS_nanosleep, &time, NULL);
	case 1: return raw6(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, (long)&time, 0, 0, 0);
	case 2: return raw3(SYS_poll, &poll_fd, 1, 100);
	case 3: return raw6(SYS_ppoll, (long)&poll_fd, 1, (long)&time, 0, 8, 0);
	case 4: return raw6(SYS_futex, (long)&word, FUTEX_WAIT, 0, (long)&time, 0, 0);
	case 5: return raw6(SYS_pselect6, 0, 0, 0, 0, (long)&time, 0);
	case 6: return raw6(SYS_epoll_wait, epoll_create1(0), (long)&event, 1, 100, 0, 0);
	default: return raw6(SYS_rt_sigtimedwait, (long)&set, 0, (long)&time, 8, 0, 0);
	}
}

static long now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The child's status: 7 it slept as long as it was told to, and its result is written */
static int sleeper(int which, int report)
{
	long begin = now_ms(), result = call(which);
	CHECK(write(report, &result, sizeof(result)) == sizeof(result));
	return result == -EINTR || now_ms() - begin >= 99 ? 7 : 8;
}

int main(void)
{
	static const char *const names[] = { "nanosleep", "clock_nanosleep", "poll", "ppoll", "futex", "pselect6", "epoll_wait",
		"rt_sigtimedwait" };
	int report[2], status;
	long result;
	CHECK(pipe(fds) == 0 && pipe(report) == 0);
	for (int i = 0; i < (int)COUNT_OF(names); i++) {
		pid_t child = fork();
		CHECK(child >= 0);
		if (child == 0)
			_exit(sleeper(i, report[1]));
		wait_asleep(child, child);
		for (int round = 0; round < 3; round++) {   /* one that has ended stays a zombie: signals do it no harm */
			signal_child(child, SIGSTOP);
			sleep_us(2000);
			signal_child(child, SIGCONT);
			sleep_us(2000);
		}
		CHECK(waitpid(child, &status, 0) == child && read(report[0], &result, sizeof(result)) == sizeof(result));
		say("%s: %ld, status %#x", names[i], result, status);
	}
	return 0;
}
