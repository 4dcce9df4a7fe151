/* hooks.h - the hook libraries of this run, outermost first */
#ifndef ZL_AGENT_HOOKS_H
#define ZL_AGENT_HOOKS_H

#include "threads/owners.h"
#include "trampoline/entry.h"

enum { ZL_HOOKS = ZL_DIRECT };

struct zl_hooks {
	struct zlazy_hook hook[ZL_HOOKS];
	const char *name[ZL_HOOKS];
	unsigned count;
};
extern struct zl_hooks zl_hooks;

/* Add one that has been filled in; marks its numbers in zl_filter. `name` stays. False when there are too many. @init */
bool zl_hooks_add(const struct zlazy_hook *hook, const char *name);
/* The functions that hook libraries may call. */
extern const struct zlazy_api zl_hook_api;

static inline bool zl_hook_wants(const struct zlazy_hook *hook, const struct zlazy_call *call)
{
	unsigned long number = (unsigned long)call->number;
	if (zl_unlikely(call->abi != ZLAZY_ABI_X86_64 || number >= ZLAZY_NUMBERS))
		return hook->wants_others;
	return hook->wanted[number / 64] >> number % 64 & 1;
}

/* Run the hooks that want this call, from frame->level inwards, or make it. What has been in the kernel comes back
 * through as few returns as can be (trampoline/returns.c): zl_call_real() is called last, to be jumped to. */
static inline long zl_hooks_run(struct zl_frame *frame)
{
	unsigned outer = frame->level;
	long result;

	for (unsigned level = outer / LEVEL_STEP; level < zl_hooks.count; level++) {
		const struct zlazy_hook *hook = &zl_hooks.hook[level];
		if (!zl_hook_wants(hook, &frame->call))
			continue;
		frame->level = (level + 1) * LEVEL_STEP;
		result = hook->on_call(&frame->call, hook->data);
		frame->level = outer;
		return zl_unlikely(result == ZLAZY_INTERRUPTED) ? zl_hooks_interrupted(frame) : result;
	}
	return zl_call_real(frame);
}

#endif
