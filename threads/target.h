/* target.h - will a program that is about to be started load the agent? */
#ifndef ZL_THREADS_TARGET_H
#define ZL_THREADS_TARGET_H

struct zlazy_call;

/* Before an execve: one line, once, if the agent can't follow into the target. Changes nothing, whatever it finds. */
void zl_target_look(const struct zlazy_call *call);
/* Before a fork: children say it once together. */
void zl_target_share(void);

#endif
