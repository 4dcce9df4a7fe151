/* count.c - see count.h. Counters lie in the shared file (base/shared.h), one slot per thread id modulo their
 * number; relaxed additions, so a shared slot stays exact. A call that a signal interrupts counts once; the time of all its parts is added. */
#include "agent/count.h"
#include "agent/hooks.h"
#include "base/copy.h"
#include "base/tally.h"
#include "base/types.h"
#include "base/poison.h"

static long on_call(struct zlazy_call *call, void *data)
{
	unsigned long number = (unsigned long)call->number;
	bool has_number = call->abi == ZLAZY_ABI_X86_64 && number < ZL_SHARED_OTHER;
	struct zl_call_count *count = &zl_shared->count[(unsigned)call->thread % ZL_SHARED_SLOTS]
						       [has_number ? number : ZL_SHARED_OTHER];
	uint64_t start = zl_read_ticks(), end;
	long result;

	(void)data;
	if (!(call->flags & ZLAZY_CALL_AGAIN))
		zl_tally_add(&count->calls, 1);
	result = zl_hook_api.next(call);
	end = zl_read_ticks();
	if (end > start)   /* it may be forbidden by now */
		zl_tally_add(&count->ticks, end - start);
	if (result != ZLAZY_INTERRUPTED && zl_is_error(result))
		zl_tally_add(&count->errors, 1);
	return result;
}

void zl_count_hook(struct zlazy_hook *hook)
{
	hook->registers = ZLAZY_GENERAL_ONLY;
	hook->on_call = on_call;
	zlazy_want_all(hook);
}
