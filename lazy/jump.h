/* jump.h - replace a call by a jump to a stub, and put it back
 *
 * All: locks: zl_patch_lock. */
#ifndef ZL_LAZY_JUMP_H
#define ZL_LAZY_JUMP_H

#include "base/sites.h"
#include "base/verdict.h"
#include "lazy/stubs.h"

/* Rewrite a site in private memory that the program can't write. Publishes it in the leaf first. Returns ZL_OK; or,
 * with the old bytes in place and nothing recorded, the reason, or -errno; -EAGAIN: there is something else by now, or
 * no barrier behind the cave; -ENOMEM: no memory for the stub. context: SIGSYS. */
long zl_jump_apply(struct zl_leaf *leaf, uintptr_t after, const struct zl_jump *jump);
/* Put the old bytes back where the new ones still are. False: nobody can write there. */
bool zl_jump_undo(uintptr_t after);
/* Is the jump still there? */
bool zl_jump_is_there(uintptr_t after);

#endif
