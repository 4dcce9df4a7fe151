/* redzone.h - does the code around a site keep anything where `call *%rax` would push? */
#ifndef ZL_LAZY_REDZONE_H
#define ZL_LAZY_REDZONE_H

#include "lazy/judge.h"
#include <stdbool.h>

/* Whether [-8,0)(%rsp) may hold data, or be part of a buffer, while the call at the site runs.
 * pre: zl_decoder != NULL; decoding from code->bytes[near] on arrives at the site (near <= site_offset). */
bool zl_redzone_is_used(const struct zl_code *code, unsigned near);

/* Quick test by bytes alone: false if no instruction of the window can have a negative displacement from rsp
 * or rbp, wherever instructions begin; then zl_redzone_is_used() is false too. */
bool zl_redzone_may_matter(const struct zl_code *code);

#endif
