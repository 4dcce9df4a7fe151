/* environment.h - what the program's environment tells the agent */
#ifndef ZL_TOOLS_ENVIRONMENT_H
#define ZL_TOOLS_ENVIRONMENT_H

#include "tools/options.h"

/* Set the variables in this process, for the exec to come. `shared`: path of the counters' file, or NULL.
 * Returns false after a line on stderr. */
bool zl_environment_set(const struct zl_options *options, const char *shared);

#endif
