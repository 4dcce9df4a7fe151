/* starter - starts a program in getppid: it must have neither the agent nor this hook, or it would do so in its turn */
#include <zlazy/zlazy.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>

static const struct zlazy_api *api;

static long on_call(struct zlazy_call *call, void *data)
{
	(void)data;
	return system("test -z \"$LD_PRELOAD$ZLAZY_HOOK$ZLAZY_CHILD\"") == 0 ? api->next(call) : -EXDEV;
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	(void)argument;
	api = a;
	hook->on_call = on_call;
	zlazy_want(hook, SYS_getppid);
	return 0;
}
