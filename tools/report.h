/* report.h - what the command prints when the program has ended */
#ifndef ZL_TOOLS_REPORT_H
#define ZL_TOOLS_REPORT_H

#include "base/shared.h"
#include <stdio.h>

/* The table of strace -c -w. `seconds_per_tick`: of rdtsc. */
void zl_report_calls(FILE *out, const struct zl_shared *shared, double seconds_per_tick);

/* The statistics of sites. */
void zl_report_sites(FILE *out, const struct zl_shared *shared);

#endif
