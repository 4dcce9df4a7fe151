/* tactic.h - the ways in which a site is rewritten, as a table */
#ifndef ZL_LAZY_TACTIC_H
#define ZL_LAZY_TACTIC_H

#include "base/sites.h"
#include "base/verdict.h"
#include "lazy/stubs.h"

struct zl_code;
struct zl_case;

/* ZLAZY_TACTIC, as far as the machine allows it. Set once at start. */
struct zl_tactics {
	bool may_call;         /* `call *%rax`: page zero is in place */
	bool may_jump;         /* a jump to a stub */
};
extern struct zl_tactics zl_tactics;

/* What the code around a site allows, found out before the patch lock is taken. */
struct zl_choice {
	enum zl_verdict verdict;       /* ZL_OK: one of the tactics applies; else why none does */
	bool may_call;                 /* `call *%rax` does; */
	bool prefers_call;             /* and goes first; */
	struct zl_jump jump;           /* else this jump, if there is one */
	bool is_of_module;             /* an unwind table knows the code */
};

struct zl_tactic {
	const char *name;
	/* May, and should, this site get it? Else those behind it in the table are asked. context: SIGSYS */
	bool (*applies)(struct zl_case *site, struct zl_choice *choice);
	/* Rewrite a site: publish it in the leaf, as `state` tells, and change its bytes. Returns ZL_OK; or, with the old
	 * bytes in place and nothing recorded, the reason, or -errno. */
	long (*apply)(struct zl_leaf *leaf, uintptr_t after, enum zl_site_state state, const struct zl_jump *jump);
	/* Put the old bytes back where the new ones still are. False: nobody can write there. */
	bool (*undo)(uintptr_t after, enum zl_site_state state);
	/* Are the new bytes, or those between, still there? */
	bool (*is_there)(uintptr_t after, enum zl_site_state state);
};
extern const struct zl_tactic zl_tactic[ZL_TACTIC_KINDS];

/* Which tactics apply to a site that was executed with rax = number. pre: zl_judge_lock. context: SIGSYS */
void zl_tactic_choose(const struct zl_code *code, uintptr_t site, uint64_t number, struct zl_choice *choice);
/* The one to take in memory where the site is recorded as `state`, and what it is then recorded as; NULL if there is
 * none. locks: zl_patch_lock */
const struct zl_tactic *zl_tactic_take(const struct zl_choice *choice, uintptr_t site, enum zl_site_state *state);
/* The one that a recorded site has got. locks: zl_patch_lock */
const struct zl_tactic *zl_tactic_of(uintptr_t after, enum zl_site_state state);

#endif
