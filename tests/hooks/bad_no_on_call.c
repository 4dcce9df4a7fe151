/* bad_no_on_call - issue 2, bad input: init succeeds and names numbers, but no function */
#include <zlazy/zlazy.h>

int zlazy_hook_init(const struct zlazy_api *api, const char *argument, struct zlazy_hook *hook)
{
	(void)api, (void)argument;
	zlazy_want_all(hook);
	return 0;
}
