/* handler.h - the one handler that the kernel knows */
#ifndef ZL_THREADS_HANDLER_H
#define ZL_THREADS_HANDLER_H

#include "base/block.h"

/* @signal: on the agent's signal stack, all signals but faults blocked; finds its block by the stack. */
void zl_real_handler(int signal, siginfo_t *info, struct ucontext *context);

#endif
