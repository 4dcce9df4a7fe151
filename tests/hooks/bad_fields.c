/* bad_fields - bad input, by argument. bad_fields.so:size changes the read-only field; :registers sets no known value */
#include <zlazy/zlazy.h>

static long on_call(struct zlazy_call *call, void *data)
{
	(void)call, (void)data;
	return 0;
}

int zlazy_hook_init(const struct zlazy_api *api, const char *argument, struct zlazy_hook *hook)
{
	(void)api;
	hook->on_call = on_call;
	if (argument[0] == 's')
		hook->size--;
	else
		hook->registers = 2;
	return 0;
}
