/* fault.h - faults that are the agent's to mend */
#ifndef ZL_LAZY_FAULT_H
#define ZL_LAZY_FAULT_H

#include "base/block.h"

/* SIGSEGV, SIGBUS or SIGILL at a site, in the sled, or in zl_copy: changes the context so that the program goes on.
 * False if the fault is somebody else's. context: the real handler. */
bool zl_fault_resolve(int signal, struct sigcontext *context, struct zl_block *block);

/* Make a fault on page zero look as it does without one: SEGV_MAPERR, no protection key. */
void zl_fault_clean(siginfo_t *info, struct sigcontext *context);

/* The program called page zero, not from a site (zl_null_trap): give the context and siginfo of the fault that it
 * would have had. */
void zl_fault_null_call(siginfo_t *info, struct sigcontext *context, const struct zl_block *block);

#endif
