/* environment.h - the environment that an exec'd program gets */
#ifndef ZL_THREADS_ENVIRONMENT_H
#define ZL_THREADS_ENVIRONMENT_H

#include "base/types.h"

/* What is to be copied. */
struct zl_environment {
	long entries;            /* or an error */
	uintptr_t preload;       /* the program's LD_PRELOAD, 0 if it has none; of several the last, as for ld.so */
	long preload_at;
	bool has_others;         /* more than one */
	long preload_length;     /* of its value; -1 if it is bad or too long: the kernel will refuse it, too */
};

/* The new array, and behind it the text of LD_PRELOAD. */
struct zl_plan {
	uintptr_t *entry;
	long entries;
	char *text;
};

void zl_environment_measure(struct zl_environment *m, uintptr_t array);
/* Bytes that plan->entry has to have room for. */
size_t zl_environment_size(const struct zl_environment *m);
/* False if the array can't be read any more. */
bool zl_environment_fill(struct zl_plan *plan, const struct zl_environment *m, uintptr_t array, bool keeps_agent);

#endif
