/* blocks - getppid waits in calls of the hook's own until the test lets it go: blocks.so:IN,OUT (descriptors). It
 * writes "b" to OUT ("a" if the call comes again), then reads commands from IN and answers: "p" asks whether a signal
 * waits ("1" or "0"), "s" sleeps for a thousand seconds, "l" loops for ever, "g" goes on. No more commands: it ends. */
#include <zlazy/zlazy.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const struct zlazy_api *api;
static int in, out;

static void say(char byte)
{
	while (write(out, &byte, 1) < 0)
		;
}

static void obey(const struct zlazy_call *call, char command)
{
	static const struct timespec long_time = { .tv_sec = 1000 };

	if (command == 'p')
		say(api->signal_pending(call) ? '1' : '0');
	else
		say(command);
	if (command == 's')
		nanosleep(&long_time, NULL);
	while (command == 'l')
		*(volatile char *)&command;
}

static long on_call(struct zlazy_call *call, void *data)
{
	char command = 0;
	(void)data;
	say(call->flags & ZLAZY_CALL_AGAIN ? 'a' : 'b');
	while (command != 'g') {
		ssize_t length = read(in, &command, 1);
		if (length == 0)
			_exit(1);
		if (length == 1)
			obey(call, command);
	}
	return api->next(call);
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	api = a;
	hook->on_call = on_call;
	zlazy_want(hook, SYS_getppid);
	return sscanf(argument, "%d,%d", &in, &out) == 2 ? 0 : 1;
}
