/* count.h - `zlazy -c`: a hook of the agent's own that counts and times every call */
#ifndef ZL_AGENT_COUNT_H
#define ZL_AGENT_COUNT_H

#include "zlazy/zlazy.h"

/* Fill the hook in. It counts what the program sees, so it is to be the outermost one. @init */
void zl_count_hook(struct zlazy_hook *hook);

#endif
