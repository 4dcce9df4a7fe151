/* probe.c - the hook of bench/calls and bench/table, as a library of zlazy: answers getpid, passes syscall(500) on
 *
 * ZLAZY_HOOK=probe.so:general   general registers only
 * ZLAZY_HOOK=probe.so           the default policy, which preserves everything
 */
#include <string.h>

#include <zlazy/zlazy.h>

#include "hook.h"

static const struct zlazy_api *probe_api;

static long on_call(struct zlazy_call *call, void *data)
{
	long answer;

	(void)data;
	return hook_answers(call->number, &answer) ? answer : probe_api->next(call);
}

int zlazy_hook_init(const struct zlazy_api *api, const char *argument, struct zlazy_hook *hook)
{
	probe_api = api;
	hook->on_call = on_call;
	hook->registers = strcmp(argument, "general") == 0 ? ZLAZY_GENERAL_ONLY : ZLAZY_PRESERVE_ALL;
	zlazy_want(hook, HOOK_GETPID);
	zlazy_want(hook, HOOK_NO_SUCH_CALL);
	zlazy_want(hook, HOOK_COUNT);
	return 0;
}
