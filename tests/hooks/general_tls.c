/* general_tls - keeps to general registers, and wants a thread block of glibc's that no other thread is on, with its own
 * variables in it: in each call, on every thread. Its own calls are made without libc. */
#include <zlazy/zlazy.h>
#include <stddef.h>

static const struct zlazy_api *api;
static __thread int thread;
static __thread int depth;

static void check(const struct zlazy_call *call)
{
	void *self, *also;
	asm volatile("movq %%fs:0, %0; movq %%fs:16, %1" : "=r"(self), "=r"(also));
	if (!self || self != also)
		api->log("general_tls: no thread block");
	if (thread && thread != call->thread)
		api->log("general_tls: on the thread block of another thread");
}

static long on_call(struct zlazy_call *call, void *data)
{
	(void)data;
	check(call);
	thread = call->thread;
	if (depth++ != 0)
		api->log("general_tls: another thread is in the hook");
	check(call);
	depth--;
	return api->next(call);
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	(void)argument;
	api = a;
	hook->on_call = on_call;
	hook->registers = ZLAZY_GENERAL_ONLY;
	zlazy_want(hook, 8); /* lseek */
	return 0;
}
