/* slow - takes time before and after each call: 0..argument microseconds (default 20), so that signals arrive inside a hook */
#include <zlazy/zlazy.h>
#include <stdlib.h>
#include <time.h>

static const struct zlazy_api *api;
static long longest = 20;
static __thread unsigned seed;

static void spin(void)
{
	struct timespec start, now;
	long ns = longest > 0 ? (seed = seed * 1103515245 + 12345) / 65536 % (unsigned long)longest * 1000 : 0;
	clock_gettime(CLOCK_MONOTONIC, &start);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - start.tv_sec) * 1000000000 + now.tv_nsec - start.tv_nsec < ns);
}

static long on_call(struct zlazy_call *call, void *data)
{
	(void)data;
	spin();
	long result = api->next(call);
	spin();
	return result;
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	api = a;
	if (*argument)
		longest = atol(argument);
	hook->on_call = on_call;
	zlazy_want_all(hook);
	return 0;
}
