/* patch.h - replace the two bytes of a site, and put them back */
#ifndef ZL_LAZY_PATCH_H
#define ZL_LAZY_PATCH_H

#include "base/lock.h"
#include "base/sites.h"
#include "base/verdict.h"
#include "lazy/poke.h"

/* Orders every change of code and of the bitmap. */
extern struct zl_lock zl_patch_lock;

/* ZLAZY_JIT: which code that the program can write is rewritten. Set once at start. */
enum zl_jit {
	ZL_JIT_AUTO,           /* private memory */
	ZL_JIT_PATCH,          /* shared memory, too */
	ZL_JIT_TRAP,           /* none */
};
extern enum zl_jit zl_jit;

/* Register the barrier. @init */
void zl_patch_start(void);

/* Can the program write a byte of the site? Known by asking, which may make it wait for who answers for userfaultfd
 * memory: so not under the patch lock. context: SIGSYS */
enum zl_access { ZL_ACCESS_READ, ZL_ACCESS_WRITE, ZL_ACCESS_UNKNOWN };
enum zl_access zl_patch_access(uintptr_t site);

/* As what may this site be recorded? access: as told above, and nothing has happened to the memory since. is_described:
 * `mov $number,%eax` stands before it. Returns ZL_OK, the reason why it may not, or -errno: the kernel doesn't tell now
 * whether the memory is private, and may do so later. locks: zl_patch_lock.  context: SIGSYS. */
long zl_patch_plan(uintptr_t site, enum zl_access access, bool is_described, enum zl_site_state *state);
/* Replace `0f 05` by `ff d0`. pre: it is recorded so. Returns ZL_OK; or, with the old bytes in place, the reason, or
 * -EAGAIN: the program has just changed them. locks: zl_patch_lock.  context: SIGSYS. */
long zl_patch_apply(uintptr_t site, enum zl_site_state state);
/* Put `0f 05` back, if `ff d0` is still there. False: nobody can write there. locks: zl_patch_lock */
bool zl_patch_undo(uintptr_t site, enum zl_site_state state);

/* The program's memory changes. locks: zl_patch_lock */
void zl_patch_forget(void);

struct zl_seccomp;
/* Do these filters let pass what patching needs, or would begin and could not end? */
bool zl_patch_may(const struct zl_seccomp *filters);

#endif
