/* environment - what the libc of a hook knows of the program's environment: logs $MARK, the hour of TZ and, from a
 * child that it starts, $MARK and LD_PRELOAD. At the first getppid it logs $MARK again. */
#include <zlazy/zlazy.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>

static const struct zlazy_api *api;

static void log_mark(const char *when)
{
	char line[200];
	snprintf(line, sizeof(line), "%s: MARK is %s", when, getenv("MARK") ?: "not set");
	api->log(line);
}

static long on_call(struct zlazy_call *call, void *data)
{
	(void)data;
	log_mark("call");
	return api->next(call);
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	char line[200];
	time_t zero = 0;

	(void)argument;
	api = a;
	log_mark("start");
	snprintf(line, sizeof(line), "start: the hour is %d", localtime(&zero)->tm_hour);
	api->log(line);
	hook->on_call = on_call;
	zlazy_want(hook, SYS_getppid);
	return system("echo \"child: MARK is $MARK, LD_PRELOAD is ${LD_PRELOAD-not set}\" >&2");
}
