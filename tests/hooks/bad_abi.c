/* bad_abi - issue 2, bad input: built for another ABI version, which it finds out in init */
#include <zlazy/zlazy.h>

int zlazy_hook_init(const struct zlazy_api *api, const char *argument, struct zlazy_hook *hook)
{
	(void)argument, (void)hook;
	return api->version == ZLAZY_ABI_VERSION + 1 ? 0 : -1;
}
