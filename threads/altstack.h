/* altstack.h - the program's alternate signal stack, which the kernel does not see */
#ifndef ZL_THREADS_ALTSTACK_H
#define ZL_THREADS_ALTSTACK_H

#include "base/types.h"
#include <linux/signal.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

/* A disabled stack has size 0, as in the kernel. */
static inline bool zl_alternate_is_enabled(const stack_t *stack)
{
	return stack->ss_size != 0;
}

/* Does the thread run on it? Never, with SS_AUTODISARM (kernel: on_sig_stack). */
static inline bool zl_alternate_contains(const stack_t *stack, uintptr_t rsp)
{
	return !((unsigned)stack->ss_flags & SS_AUTODISARM) && rsp > (uintptr_t)stack->ss_sp &&
	       rsp - (uintptr_t)stack->ss_sp <= stack->ss_size;
}

/* Set it as sigaltstack(2) does, with its errors; rsp: the program's. */
long zl_alternate_set(stack_t *alternate, const stack_t *wanted, uintptr_t rsp);
/* As sigaltstack(2) shows it. */
stack_t zl_alternate_show(const stack_t *alternate, uintptr_t rsp);

#endif
