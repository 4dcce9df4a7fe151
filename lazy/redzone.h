/* redzone.h - does the code around a site, whose function is not known, keep anything where `call *%rax` would push? */
#ifndef ZL_LAZY_REDZONE_H
#define ZL_LAZY_REDZONE_H

#include "lazy/reading.h"

/* ZL_RED_ZONE if [-8,0)(%rsp) may hold data, or be part of a buffer, while the call at the site runs; ZL_TOO_LONG if it
 * would take too many instructions to find out; else ZL_OK.
 * pre: the site is an instruction of its own. */
enum zl_verdict zl_redzone_judge(struct zl_reading *reading);

#endif
