/* patch.h - replace the two bytes of a site */
#ifndef ZL_LAZY_PATCH_H
#define ZL_LAZY_PATCH_H

#include "base/lock.h"
#include "base/verdict.h"

/* Orders every change of code and of the bitmap. Taken with asynchronous signals blocked. */
extern struct zl_lock zl_patch_lock;

/* More than one thread runs in this address space, or ever did since the last fork. Set by threads/ before the
 * first clone, when SIGILL has got the agent's handler. */
extern _Atomic bool zl_is_threaded;

/* Register the barrier. @init */
void zl_patch_start(void);

/* Replace `0f 05` by `ff d0` at site, in private memory. The record is already published.
 * locks: zl_patch_lock.  context: SIGSYS.
 * Returns ZL_OK; or, with the old bytes in place, ZL_UNWRITABLE, ZL_NO_BARRIER, or -errno: the kernel doesn't tell now
 * whether the memory is private, and may do so later. */
long zl_patch_site(uintptr_t site);

struct zl_seccomp;
/* Do these filters let pass what patching needs, or would begin and could not end? */
bool zl_patch_may(const struct zl_seccomp *filters);

#endif
