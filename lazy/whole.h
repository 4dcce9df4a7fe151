/* whole.h - does a function whose bounds are known keep anything where `call *%rax` would push? */
#ifndef ZL_LAZY_WHOLE_H
#define ZL_LAZY_WHOLE_H

#include "lazy/reading.h"

/* pre: reading->code->has_function; the site is an instruction of its own.
 * Returns ZL_OK, ZL_RED_ZONE, or ZL_TOO_LONG if it would take too many instructions to find out. */
enum zl_verdict zl_whole_judge(struct zl_reading *reading);

#endif
