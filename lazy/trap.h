/* trap.h - a site has trapped: find out about it, and rewrite it if that is safe */
#ifndef ZL_LAZY_TRAP_H
#define ZL_LAZY_TRAP_H

#include "base/types.h"

/* Whether sites are rewritten at all: page zero is in place. Set once at start. */
extern bool zl_may_rewrite;

/* `after`: the address after the two bytes; number: rax as it trapped. context: SIGSYS, all signals blocked. */
void zl_site_trapped(uintptr_t after, uint64_t number);

/* A call arrived through page zero from `after`, which is no site: is it a copy of a rewritten one (row 3 of
 * design.md: `mov $number,%eax; call *%rax`)? Records it then. context: SIGSYS. */
bool zl_site_is_copy(uintptr_t after, uint64_t number);

#endif
