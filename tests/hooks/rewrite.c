/* rewrite - getppid becomes getuid + 1000000; 600 is answered without the kernel with the digits of its arguments; getuid is
 * made three times; all else passes. The guests don't expect this: for a test that does. */
#include <zlazy/zlazy.h>
#include <sys/syscall.h>

static const struct zlazy_api *api;

static long on_call(struct zlazy_call *call, void *data)
{
	(void)data;
	if (call->number == SYS_getppid) {         /* -> getuid */
		call->number = SYS_getuid;
		return api->next(call) + 1000000;
	}
	if (call->number == 600) {                 /* a call that the kernel hasn't: answered without it */
		long sum = 0;
		for (int i = 0; i < 6; i++)
			sum = sum * 10 + call->arg[i];
		return sum;
	}
	if (call->number == SYS_getuid) {
		api->next(call);
		api->next(call);
	}
	return api->next(call);
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	(void)argument;
	api = a;
	hook->on_call = on_call;
	hook->registers = ZLAZY_GENERAL_ONLY;
	zlazy_want_all(hook);
	return 0;
}
