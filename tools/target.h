/* target.h - can this program be run, and will it load the agent? */
#ifndef ZL_TOOLS_TARGET_H
#define ZL_TOOLS_TARGET_H

#include <stdbool.h>

/* Look at the program that execvp() would run. Returns 0; or, after a line on stderr, the exit status of the
 * command. `run_anyway`: a program that can't be hooked is no error. */
int zl_target_check(const char *name, bool run_anyway);

/* Say why `name` was not run, from the errno of exec. Returns the exit status: 127 not found, 126 otherwise. */
int zl_target_failed(const char *name, int error);

#endif
