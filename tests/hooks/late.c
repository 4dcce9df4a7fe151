/* late - late.so:NUMBER: 60 ms pass between the program's call of this number and its being made, so that signals come in the
 * hook; a call that comes again is made at once */
#include <zlazy/zlazy.h>
#include <stdlib.h>
#include <time.h>

static const struct zlazy_api *api;

static long on_call(struct zlazy_call *call, void *data)
{
	struct timespec time = { 0, 60000000 };
	(void)data;
	if (!(call->flags & ZLAZY_CALL_AGAIN))
		while (nanosleep(&time, &time) != 0)
			;
	return api->next(call);
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	api = a;
	hook->on_call = on_call;
	zlazy_want(hook, strtol(argument, NULL, 10));
	return 0;
}
