/* probe.c - the hook of bench/calls: answers getpid, passes syscall(500) on
 *
 * ZLAZY_HOOK=probe.so:general   general registers only
 * ZLAZY_HOOK=probe.so           the default policy, which preserves everything
 */
#include <string.h>

#include <zlazy/zlazy.h>

#include "bench.h"

#define GETPID 39
#define NO_SUCH_CALL 500

static const struct zlazy_api *probe_api;

static long on_call(struct zlazy_call *call, void *data)
{
	(void)data;
	return call->number == GETPID ? BENCH_ANSWER : probe_api->next(call);
}

int zlazy_hook_init(const struct zlazy_api *api, const char *argument, struct zlazy_hook *hook)
{
	probe_api = api;
	hook->on_call = on_call;
	hook->registers = strcmp(argument, "general") == 0 ? ZLAZY_GENERAL_ONLY : ZLAZY_PRESERVE_ALL;
	zlazy_want(hook, GETPID);
	zlazy_want(hook, NO_SUCH_CALL);
	return 0;
}
