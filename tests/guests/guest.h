/* guest.h - what the guest programs share
 *
 * A guest does one thing, checks its own expectations and prints what it saw: no pids, addresses or times, so that
 * its output is the same natively and under the agent. Exit status: 0 as expected, 1 after a line that
 * begins with FAIL, 77 (skip) after a line that says why. Nothing here knows of the agent.
 *
 * say() writes at once, without stdio: order and content survive fork, _exit and death by a signal.
 */
#ifndef GUEST_H
#define GUEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define GUEST_UNUSED __attribute__((unused))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

GUEST_UNUSED __attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	char line[1024];
	va_list list;
	va_start(list, format);
	int length = vsnprintf(line, sizeof(line) - 1, format, list);
	va_end(list);
	line[length++] = '\n';
	if (write(1, line, (size_t)length) != length)
		_exit(1);
}

#define FAIL(...) do { say("FAIL " __VA_ARGS__); _exit(1); } while (0)
#define CHECK(condition) do { if (!(condition)) FAIL("line %d: %s (errno %d)", __LINE__, #condition, errno); } while (0)
#define CHECK_EQ(got, expected) do { long got_ = (long)(got), expected_ = (long)(expected); \
	if (got_ != expected_) FAIL("line %d: %s is %ld (%#lx), not %ld (%#lx)", __LINE__, #got, got_, got_, \
		expected_, expected_); } while (0)
#define SKIP(...) do { say("skip: " __VA_ARGS__); _exit(77); } while (0)

/* One system call; every place where this is inlined is a site of its own. */
__attribute__((always_inline)) static inline long raw6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 asm("r10") = d, r8 asm("r8") = e, r9 asm("r9") = f;
	long result;
	asm volatile("syscall" : "=a"(result) : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		: "rcx", "r11", "memory");
	return result;
}
#define raw0(nr) raw6(nr, 0, 0, 0, 0, 0, 0)
#define raw1(nr, a) raw6(nr, (long)(a), 0, 0, 0, 0, 0)
#define raw2(nr, a, b) raw6(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define raw3(nr, a, b, c) raw6(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)

/* Install a three-argument handler. */
GUEST_UNUSED static void handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action;
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = handler;
	action.sa_flags = SA_SIGINFO | flags;
	CHECK(sigaction(signal, &action, NULL) == 0);
}

GUEST_UNUSED static long reg(void *ucontext, int which)
{
	return (long)((ucontext_t *)ucontext)->uc_mcontext.gregs[which];
}

/* Send SIGALRM to this process every `us` microseconds; 0 stops. */
GUEST_UNUSED static void tick_every(long us)
{
	struct itimerval timer = { { 0, us }, { 0, us } };
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

GUEST_UNUSED static void sleep_us(long us)
{
	struct timespec time = { us / 1000000, us % 1000000 * 1000 };
	while (nanosleep(&time, &time) != 0 && errno == EINTR)
		;
}

/* Return once thread `tid` of this process sleeps in the kernel, three looks in a row. */
GUEST_UNUSED static void wait_asleep(long pid, long tid)
{
	char path[64], line[256];
	for (int asleep = 0; asleep < 3; sleep_us(1000)) {
		snprintf(path, sizeof(path), "/proc/%ld/task/%ld/stat", pid, tid);
		int fd = open(path, O_RDONLY);
		ssize_t length = fd < 0 ? 0 : read(fd, line, sizeof(line) - 1);
		close(fd);
		line[length > 0 ? length : 0] = 0;
		char *end = strrchr(line, ')');
		asleep = end && end[2] == 'S' ? asleep + 1 : 0;
	}
}

/* kill() of one process that is surely not everybody: -1 of a failed fork, or of an ended child, reaches the whole machine. */
GUEST_UNUSED static void signal_child(pid_t pid, int signo)
{
	CHECK(pid > 1 && kill(pid, signo) == 0);
}

/* Wait for a child; "exit 3" or "signal 9" as 0x103, 0x209. */
GUEST_UNUSED static int wait_child(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, 0) != pid)
		CHECK(errno == EINTR);
	return WIFEXITED(status) ? 0x100 | WEXITSTATUS(status) : 0x200 | WTERMSIG(status);
}

#endif
