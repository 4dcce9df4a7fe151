/* start.h - the core's start, which needs no libc */
#ifndef ZL_AGENT_START_H
#define ZL_AGENT_START_H

#include "base/print.h"

/* Two steps, so that what needs a libc (agent/load.c) can come between them; a caller without one goes straight on.
 * zl_prepare reads the configuration and sets page zero up; zl_start arms the calling thread, the only one.
 * envp, auxv: as on the initial stack. Bad configuration, or a kernel without SUD and the policy "stop": one line,
 * exit 127. zl_prepare answers whether zl_start will arm. @init */
bool zl_prepare(char *const *envp, const unsigned long (*auxv)[2]);
void zl_start(char *const *envp, const unsigned long (*auxv)[2]);

/* The block that zl_start gives to the first thread; refuses to start when there is no memory. @init */
struct zl_block *zl_first_block(void);

/* A notice that is given once the start has succeeded, in the first process of a run. @init */
void zl_notice_at_start(const struct zl_line *line);

#endif
