/* pattern.h - the pattern of the control blocks that hook code has */
#ifndef ZL_AGENT_PATTERN_H
#define ZL_AGENT_PATTERN_H

#include "base/types.h"

struct zl_block;

/* Fill zl_control_pattern, and the first thread's block by it. handle: of an object in the hooks' namespace. False:
 * this libc or ld.so is not as it must be, or no memory; there is no pattern then. @init */
bool zl_pattern_make(void *handle, struct zl_block *first);

#endif
