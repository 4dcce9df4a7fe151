/* cxx_throw - row 13: C++ exceptions through frames that made calls, and out of a handler that interrupted a blocked read */
#include <cerrno>
#include "guest.h"

struct Noted {
	int *count;
	~Noted() { ++*count; }
};

__attribute__((noinline)) static long call_and_throw(int depth, int *count)
{
	Noted noted{count};
	if (raw0(SYS_getuid) != getuid() || depth == 0)
		throw depth + 4711;
	return call_and_throw(depth - 1, count) + 1;
}

static void on_tick(int)
{
	throw 1.5;
}

int main()
{
	int destroyed = 0, caught = 0, fds[2];
	for (int i = 0; i < 100; i++)
		try {
			call_and_throw(10, &destroyed);
		} catch (int value) {
			caught += value == 4711;
		}
	say("%d caught, %d destroyed", caught, destroyed);
	CHECK(pipe(fds) == 0);
	for (int i = 0; i < 20; i++) {
		struct sigaction action = {};
		action.sa_handler = on_tick;
		action.sa_flags = SA_NODEFER;
		CHECK(sigaction(SIGALRM, &action, NULL) == 0);
		try {
			struct itimerval timer = { { 0, 0 }, { 0, 20000 } };   /* long enough to get to the read */
			setitimer(ITIMER_REAL, &timer, NULL);
			char byte;
			long result = read(fds[0], &byte, 1); /* not syscall(): that one is declared not to throw */
			FAIL("read: %ld", result);
		} catch (double value) {
			caught += value == 1.5;
		}
	}
	say("%d caught", caught);
	return 0;
}
