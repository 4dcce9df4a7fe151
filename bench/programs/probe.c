/* probe.c - the hook of the benches, as a library of zlazy
 *
 * ZLAZY_HOOK=probe.so:general      answers getpid, passes syscall(500) on; general registers only
 * ZLAZY_HOOK=probe.so              the same with the default policy, which preserves everything
 * ZLAZY_HOOK=probe.so:every=/FILE  passes every call on, preserves everything, and adds one to the eight bytes in FILE
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zlazy/zlazy.h>

#include "hook.h"

#define EVERY "every="

static const struct zlazy_api *probe_api;
static uint64_t *seen;

static long on_call(struct zlazy_call *call, void *data)
{
	long answer;

	(void)data;
	return hook_answers(call->number, &answer) ? answer : probe_api->next(call);
}

static long on_every_call(struct zlazy_call *call, void *data)
{
	(void)data;
	if (!(call->flags & ZLAZY_CALL_AGAIN))
		__atomic_fetch_add(seen, 1, __ATOMIC_RELAXED);
	return probe_api->next(call);
}

static int want_every_call(struct zlazy_hook *hook, const char *file)
{
	int fd = open(file, O_RDWR | O_CLOEXEC);

	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (seen == MAP_FAILED)
		return -1;
	close(fd);
	hook->on_call = on_every_call;
	zlazy_want_all(hook);
	return 0;
}

int zlazy_hook_init(const struct zlazy_api *api, const char *argument, struct zlazy_hook *hook)
{
	probe_api = api;
	hook->registers = strcmp(argument, "general") == 0 ? ZLAZY_GENERAL_ONLY : ZLAZY_PRESERVE_ALL;
	if (strncmp(argument, EVERY, strlen(EVERY)) == 0)
		return want_every_call(hook, argument + strlen(EVERY));
	hook->on_call = on_call;
	zlazy_want(hook, HOOK_GETPID);
	zlazy_want(hook, HOOK_NO_SUCH_CALL);
	zlazy_want(hook, HOOK_COUNT);
	return 0;
}
