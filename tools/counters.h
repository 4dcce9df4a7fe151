/* counters.h - the file in which the processes of a run keep their counters */
#ifndef ZL_TOOLS_COUNTERS_H
#define ZL_TOOLS_COUNTERS_H

#include "base/shared.h"
#include <stdbool.h>

/* Make and map the file. Returns NULL after a line on stderr. */
struct zl_shared *zl_counters_create(bool count_calls, bool lists_sites);

/* Its path, or NULL when there is none. */
const char *zl_counters_path(void);

/* Remove the file's name; the mappings stay. Does nothing when there is none. */
void zl_counters_remove(void);

#endif
