/* pass - wants every call and passes each on, with the default register policy: the longest path, no change */
#include <zlazy/zlazy.h>

static const struct zlazy_api *api;

static long on_call(struct zlazy_call *call, void *data)
{
	(void)data;
	return api->next(call);
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	(void)argument;
	api = a;
	hook->on_call = on_call;
	zlazy_want_all(hook);
	return 0;
}
