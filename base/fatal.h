/* fatal.h - the end of the line: states that the agent can't go on from */
#ifndef ZL_BASE_FATAL_H
#define ZL_BASE_FATAL_H

#include "base/types.h"

enum zl_fatal {
	ZL_FATAL_BLOCK,        /* the thread's block is not where it must be: the program changed gs */
	ZL_FATAL_FAULT,        /* the agent's own code faulted */
	ZL_FATAL_HOOK_FAULT,   /* a hook library faulted */
	ZL_FATAL_TRAP,         /* a system call outside the gate in the agent's own code */
	ZL_FATAL_ARM,          /* a new thread could not be armed */
	ZL_FATAL_SEGMENT,      /* a system call in 32-bit code */
	ZL_FATAL_STATE,        /* a broken invariant */
};

enum { ZL_EXIT_REFUSED = 127 };  /* status when the program is not started */

/* One line on stderr, then SIGABRT for the whole process. context: anywhere. */
_Noreturn void zl_fatal(enum zl_fatal what, unsigned long detail);
/* End the process with this status, nothing else. */
_Noreturn void zl_exit_process(int status);

#endif
