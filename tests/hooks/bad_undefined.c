/* bad_undefined - issue 2, bad input: needs a symbol that nobody defines */
#include <zlazy/zlazy.h>

extern int zlazy_test_nobody_defines_this(void);

int zlazy_hook_init(const struct zlazy_api *api, const char *argument, struct zlazy_hook *hook)
{
	(void)api, (void)argument, (void)hook;
	return zlazy_test_nobody_defines_this();
}
