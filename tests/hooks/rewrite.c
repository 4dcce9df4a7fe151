/* rewrite - changes calls, for a test that expects it (the guests don't). All else passes.
 *
 * getppid   becomes getuid, and answers a million more
 * getuid    is made three times
 * 600       answered without the kernel, with the digits of its arguments
 * 601       becomes write(1, argument 1, argument 0)
 * 602       waits inside the hook until a signal is due: 1, or 0 if none came in ten seconds
 * read      answers 12345 when it was interrupted, which nobody may see
 *
 * rewrite.so:NUMBER wants getuid only, which becomes that number.
 */
#include <zlazy/zlazy.h>
#include <stdlib.h>
#include <sys/syscall.h>

static const struct zlazy_api *api;
static long other_number;

static void sleep_10_ms(void)
{
	static const long time[2] = { 0, 10000000 };
	long result = SYS_nanosleep;
	asm volatile("syscall" : "+a"(result) : "D"(time), "S"(0L) : "rcx", "r11", "memory");
}

static long wait_for_signal(const struct zlazy_call *call)
{
	for (int i = 0; i < 1000 && !api->signal_pending(call); i++)
		sleep_10_ms();
	return api->signal_pending(call);
}

static long add_digits(const struct zlazy_call *call)
{
	long sum = 0;
	for (int i = 0; i < 6; i++)
		sum = sum * 10 + call->arg[i];
	return sum;
}

static long write_swapped(struct zlazy_call *call)
{
	long size = call->arg[0];
	call->number = SYS_write;
	call->arg[0] = 1;
	call->arg[2] = size;
	return api->next(call);
}

static long on_call(struct zlazy_call *call, void *data)
{
	long result;

	(void)data;
	switch (call->number) {
	case SYS_getppid:
		call->number = SYS_getuid;
		return api->next(call) + 1000000;
	case 600: return add_digits(call);
	case 601: return write_swapped(call);
	case 602: return wait_for_signal(call);
	case SYS_read:
		result = api->next(call);
		return result == ZLAZY_INTERRUPTED ? 12345 : result;
	case SYS_getuid:
		api->next(call);
		api->next(call);
		return api->next(call);
	default:
		return api->next(call);
	}
}

static long change_number(struct zlazy_call *call, void *data)
{
	(void)data;
	call->number = other_number;
	return api->next(call);
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	api = a;
	other_number = atol(argument);
	hook->on_call = other_number ? change_number : on_call;
	hook->registers = ZLAZY_GENERAL_ONLY;
	if (other_number)
		zlazy_want(hook, SYS_getuid);
	else
		zlazy_want_all(hook);
	return 0;
}
