/* trap.h - a site has trapped: find out about it, and rewrite it if that is safe */
#ifndef ZL_LAZY_TRAP_H
#define ZL_LAZY_TRAP_H

#include "base/lock.h"
#include "base/sites.h"
#include "base/types.h"
#include "lazy/bytes.h"

/* Whether sites are rewritten at all: page zero is in place. Set once at start. */
extern bool zl_may_rewrite;

/* Whoever holds it judges a site; only ever tried. */
extern struct zl_lock zl_judge_lock;

/* `after`: the address after the two bytes; number: rax as it trapped. context: SIGSYS, all signals blocked. */
void zl_site_trapped(uintptr_t after, uint64_t number);

/* The two bytes at an address and, at one moment with them, what is recorded there: the record comes before the bytes,
 * so one that was read before them alone may be older than they are. False: they can't be read. No lock */
bool zl_site_look(uintptr_t site, enum zl_site_state *state, uint8_t bytes[ZL_SITE_SIZE]);

/* A call came through page zero from `after` where no site was found, or would have, had its number not lain outside.
 * True if it is a system call all the same:
 *
 *     recorded as patched                       the reader was led astray (base/sites.h), or it is again
 *     0f 05 or 0f d0 is there now               a site whose bytes are being put back, or were a moment ago
 *     nothing, or no call instruction, is       a site until a moment ago
 *     mov $number,%eax; call *%rax is           a copy of a rewritten site (row 3 of design.md); recorded from now on.
 *                                               Of an open site any number will do
 *
 * Else it is a call of the program's own. No lock is waited for. context: SIGSYS, SIGSEGV */
bool zl_site_claims(uintptr_t after, uint64_t number);

#endif
