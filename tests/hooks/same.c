/* same - says so when next() comes back and has changed the hook's view of the call */
#include <zlazy/zlazy.h>
#include <string.h>

static const struct zlazy_api *api;

static long on_call(struct zlazy_call *call, void *data)
{
	struct zlazy_call before = *call;
	long result = api->next(call);
	(void)data;
	if (memcmp(call, &before, sizeof(before)) != 0)
		api->log("same: next() has changed the call");
	return result;
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	(void)argument;
	api = a;
	hook->on_call = on_call;
	zlazy_want_all(hook);
	return 0;
}
