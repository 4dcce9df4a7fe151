/* tactic.h - the ways in which a site may be rewritten */
#ifndef ZL_LAZY_TACTIC_H
#define ZL_LAZY_TACTIC_H

#include "base/types.h"

/* ZLAZY_TACTIC, as far as the machine allows it. Set once at start. */
struct zl_tactics {
	bool may_call;         /* `call *%rax`: page zero is in place */
	bool may_jump;         /* a jump to a stub */
};
extern struct zl_tactics zl_tactics;

#endif
