/* backtrace_handler - rows 21 and 31: backtrace() in a handler unwinds through the signal frame to the function that made the call */
#include "guest.h"
#include <execinfo.h>

static volatile int frames, saw_outer;
extern char __start_outer_text[], __stop_outer_text[];
static int fds[2];

static void on_tick(int signo, siginfo_t *info, void *context)
{
	void *trace[64];
	(void)signo, (void)info, (void)context;
	frames = backtrace(trace, 64);
	for (int i = 0; i < frames; i++)
		saw_outer |= trace[i] >= (void *)__start_outer_text && trace[i] < (void *)__stop_outer_text;
}

__attribute__((noinline, section("outer_text"))) static long outer(int blocked)
{
	struct itimerval timer = { { 0, 0 }, { 0, 10000 } };
	char byte;
	saw_outer = frames = 0;
	setitimer(ITIMER_REAL, &timer, NULL);
	long result = 0;
	if (blocked)
		result = read(fds[0], &byte, 1);
	while (!frames)
		raw0(SYS_getuid);
	return result;
}
int main(void)
{
	void *warm[4];
	backtrace(warm, 4); /* loads libgcc_s */
	CHECK(pipe(fds) == 0);
	handle(SIGALRM, on_tick, 0);
	for (int round = 0; round < 10; round++) {
		outer(round % 2);
		CHECK(saw_outer && frames >= 4);
	}
	say("seen 10 times");
	return 0;
}
