/* bare.h - a shared object without the dynamic linker */
#ifndef ZL_AGENT_BARE_H
#define ZL_AGENT_BARE_H

#include "base/types.h"

/* What the object may find by name; the last one has no name. */
struct zl_import {
	const char *name;
	const void *address;
};

struct zl_bare;

/* Map the object and bind it to `imports`. NULL, with -errno in *error, if it can't be had: what opening, reading and
 * mapping it answers, or -ENOEXEC for an object that wants more than is known to be right without ld.so (bare.c). Its
 * constructors are not run. One object at a time: what was answered before is not valid any more. @init */
const struct zl_bare *zl_bare_load(const char *path, const struct zl_import *imports, long *error);

/* A function of the object, or NULL. */
void *zl_bare_symbol(const struct zl_bare *object, const char *name);

#endif
