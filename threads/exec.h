/* exec.h - what the agent adds to the environment of a program that is started */
#ifndef ZL_THREADS_EXEC_H
#define ZL_THREADS_EXEC_H

#include "base/types.h"

enum { ZL_EXEC_VARIABLES = 16 };

/* Set once at start, by agent/. */
struct zl_exec_environment {
	bool is_followed;                                  /* ZLAZY_FOLLOW */
	const char *library;                               /* absolute path of libzlazy.so; NULL: nothing is changed */
	const char *variable[ZL_EXEC_VARIABLES];           /* "ZLAZY_X=value", added where the program has no ZLAZY_X */
	const char *original[ZL_EXEC_VARIABLES];           /* what it replaces there, a relative path; or NULL */
	unsigned variables;
	bool is_first;                                     /* no program of this run has started this one */
};
extern struct zl_exec_environment zl_exec_environment;

#endif
