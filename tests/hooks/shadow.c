/* shadow - counts calls by number, in this process, for programs that count theirs, too (stress/shadow.h)
 *
 * Call 1999 is not made: it answers how many calls of the number in its first argument have come to an end so far. A
 * call counts when next() has made it; one that a signal stops before it is made comes again, and counts then. Calls
 * that never come back (exit, exec, rt_sigreturn) don't count. A forked child goes on from its parent's counts. */
#include <zlazy/zlazy.h>
#include <errno.h>
#include <stdatomic.h>

enum { QUERY = 1999, NUMBERS = 2000 };
static const struct zlazy_api *api;
static _Atomic long counters[NUMBERS];

static long on_call(struct zlazy_call *call, void *data)
{
	unsigned long number = call->abi == ZLAZY_ABI_X86_64 ? (unsigned long)call->number : NUMBERS;
	long result;

	(void)data;
	if (number == QUERY)
		return (unsigned long)call->arg[0] < NUMBERS ? counters[call->arg[0]] : -EINVAL;
	result = api->next(call);
	if (number < NUMBERS && result != ZLAZY_INTERRUPTED)
		atomic_fetch_add_explicit(&counters[number], 1, memory_order_relaxed);
	return result;
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
