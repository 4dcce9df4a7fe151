/* fake.c - a hook that answers getpid without the kernel
 *
 *     zlazy --hook fake.so program           getpid() answers 4242
 *     zlazy --hook fake.so:NUMBER program    getpid() answers NUMBER
 *
 * The cheapest kind of hook: on_call() is compiled with -mgeneral-regs-only and says so, and so the agent saves
 * no vector registers around it. Only getpid is wanted; other calls never come here.
 */
#include <zlazy/zlazy.h>
#include <errno.h>
#include <inttypes.h>
#include <sys/syscall.h>

static long answer = 4242;

static long on_call(struct zlazy_call *call, void *data)
{
	(void)call;
	return *(const long *)data;
}

int zlazy_hook_init(const struct zlazy_api *api, const char *argument, struct zlazy_hook *hook)
{
	char *end;

	if (argument[0] != '\0') {
		answer = (long)strtoimax(argument, &end, 10);
		if (*end != '\0' || answer < 1 || answer > INT32_MAX) {
			api->log("fake: the argument is not a process id; use fake.so:NUMBER, or fake.so alone");
			return -EINVAL;
		}
	}
	hook->on_call = on_call;
	hook->data = &answer;
	hook->registers = ZLAZY_GENERAL_ONLY;
	zlazy_want(hook, SYS_getpid);
	return 0;
}
