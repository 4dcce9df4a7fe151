/* handler.h - the one handler that the kernel knows */
#ifndef ZL_THREADS_HANDLER_H
#define ZL_THREADS_HANDLER_H

#include "base/block.h"

/* The segments of 64-bit programs (Linux, __USER_CS, __USER_DS). */
enum { ZL_CODE_64 = 0x33, ZL_DATA = 0x2b };

/* @signal: on the agent's signal stack, all signals but faults blocked; finds its block by the stack. */
void zl_real_handler(int signal, siginfo_t *info, struct ucontext *context);

#endif
