/* hooks.h - the hook libraries of this run, outermost first */
#ifndef ZL_AGENT_HOOKS_H
#define ZL_AGENT_HOOKS_H

#include "trampoline/frame.h"

enum { ZL_HOOKS = 16 };

struct zl_hooks {
	struct zlazy_hook hook[ZL_HOOKS];
	unsigned count;
};
extern struct zl_hooks zl_hooks;

/* Add one that has been filled in; marks its numbers in zl_filter. False when there are too many. @init */
bool zl_hooks_add(const struct zlazy_hook *hook);
/* The functions that hook libraries may call. */
extern const struct zlazy_api zl_hook_api;

/* Run the hooks that want this call, then make it. */
long zl_hooks_run(struct zl_frame *frame);

#endif
