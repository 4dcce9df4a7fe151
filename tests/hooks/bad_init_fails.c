/* bad_init_fails - issue 2, bad input: init returns -EPERM */
#include <zlazy/zlazy.h>
#include <errno.h>

int zlazy_hook_init(const struct zlazy_api *api, const char *argument, struct zlazy_hook *hook)
{
	(void)api, (void)argument, (void)hook;
	return -EPERM;
}
