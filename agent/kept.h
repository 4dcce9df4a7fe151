/* kept.h - the agent's own copy of its variables */
#ifndef ZL_AGENT_KEPT_H
#define ZL_AGENT_KEPT_H

#include "base/types.h"

enum zl_keep {
	ZL_KEEP_TEXT,          /* as it is */
	ZL_KEEP_PATH,          /* one path, made absolute */
	ZL_KEEP_HOOKS,         /* path[:argument][;path[:argument]...]: each path with a slash made absolute */
};

/* Copy "NAME=value". Returns the copy; or NULL, and *why it can't be and what to do. @init */
const char *zl_keep(enum zl_keep how, const char *entry, const char **why);

#endif
