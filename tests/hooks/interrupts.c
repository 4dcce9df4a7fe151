/* interrupts - getppid answers ZLAZY_INTERRUPTED, without a call and without a signal; getuid the same, after it has
 * waited for a signal, unless it comes again: then it is made. interrupts.so:general keeps to general registers. */
#include <zlazy/zlazy.h>
#include <sys/syscall.h>
#include <time.h>

static const struct zlazy_api *api;

static void wait_for_signal(const struct zlazy_call *call)
{
	static const struct timespec pause = { .tv_nsec = 10000000 };
	for (int i = 0; i < 1000 && !api->signal_pending(call); i++)
		nanosleep(&pause, NULL);
}

static long on_call(struct zlazy_call *call, void *data)
{
	(void)data;
	if (call->number == SYS_getuid && call->flags & ZLAZY_CALL_AGAIN)
		return api->next(call);
	if (call->number == SYS_getuid)
		wait_for_signal(call);
	return ZLAZY_INTERRUPTED;
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	api = a;
	if (argument[0])
		hook->registers = ZLAZY_GENERAL_ONLY;
	hook->on_call = on_call;
	zlazy_want(hook, SYS_getppid);
	zlazy_want(hook, SYS_getuid);
	return 0;
}
