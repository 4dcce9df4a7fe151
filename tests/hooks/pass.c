/* pass - wants every call and passes each on, with the default register policy: the longest path, no change.
 * pass.so:NUMBER wants that one only. */
#include <zlazy/zlazy.h>
#include <stdlib.h>

static const struct zlazy_api *api;

static long on_call(struct zlazy_call *call, void *data)
{
	(void)data;
	return api->next(call);
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	api = a;
	hook->on_call = on_call;
	if (argument[0])
		zlazy_want(hook, atol(argument));
	else
		zlazy_want_all(hook);
	return 0;
}
