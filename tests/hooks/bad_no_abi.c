/* bad_no_abi - bad input: a hook that does not say what ABI it was built for */
#define zlazy_hook_abi zlazy_test_renamed
#include <zlazy/zlazy.h>

static long on_call(struct zlazy_call *call, void *data)
{
	(void)call, (void)data;
	return 0;
}

int zlazy_hook_init(const struct zlazy_api *api, const char *argument, struct zlazy_hook *hook)
{
	(void)api, (void)argument;
	hook->on_call = on_call;
	return 0;
}
