/* stop.h - job control: the parent stops and goes on with the program */
#ifndef ZL_TOOLS_STOP_H
#define ZL_TOOLS_STOP_H

#include <stdbool.h>
#include <sys/types.h>

/* The program has been stopped by this signal: stop in the same way, and wake it when woken.
 * pre: every signal is blocked. */
void zl_stop_too(pid_t child, int signal_number);

/* Has the program been woken since it was stopped, or since this was last asked? */
bool zl_stop_is_resumed(pid_t child);

#endif
