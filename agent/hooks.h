/* hooks.h - the hook libraries of this run, outermost first */
#ifndef ZL_AGENT_HOOKS_H
#define ZL_AGENT_HOOKS_H

#include "threads/owners.h"
#include "trampoline/entry.h"

enum { ZL_HOOKS = ZL_DIRECT };
static_assert(LEVEL_ON_CONTROL < LEVEL_STEP, "frame->level counts in LEVEL_STEP");

struct zl_hooks {
	struct zlazy_hook hook[ZL_HOOKS];
	const char *name[ZL_HOOKS];
	unsigned count;
	unsigned levels;        /* count, in the unit of frame->level */
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

/* Run the outermost hook at or within frame->level that wants this call; make it if there is none. */
long zl_hooks_run_next(struct zl_frame *frame);

/* The same. What has been in the kernel comes back through as few returns as can be (trampoline/returns.c): so
 * zl_call_real() comes last, to be jumped to. pre: fs is the program's (no LEVEL_ON_CONTROL) */
static inline long zl_hooks_run(struct zl_frame *frame)
{
	if (frame->level < zl_hooks.levels)
		return zl_hooks_run_next(frame);
	return zl_call_real(frame);
}

#endif
