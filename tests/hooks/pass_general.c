/* pass_general - as pass, with general registers only */
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
	hook->registers = ZLAZY_GENERAL_ONLY;
	zlazy_want_all(hook);
	return 0;
}
