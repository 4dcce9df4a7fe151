/* subject.h - a call in two pages of nops, to be rewritten to a jump (lazy/jump.c) */
#ifndef UNIT_SUBJECT_H
#define UNIT_SUBJECT_H

#include "lazy/bytes.h"
#include "lazy/jump.h"
#include "lazy/sites.h"

enum { SIZE = 2 * 4096, NOP = 0x90 };

struct subject {
	uint8_t *code, was[SIZE];
	uintptr_t after, start, cave;  /* start: of the mov, if there is one, else of the site */
	struct zl_jump jump;
	struct zl_leaf *leaf;
};

/* Behind a mov of this length; or without one, and a cave so far behind the site. */
void subject_lay(struct subject *s, unsigned offset, const char *mov, unsigned length, int cave);
void subject_lay_mov(struct subject *s, unsigned offset);
void subject_lay_cave(struct subject *s, unsigned offset, int cave);
/* zl_jump_apply() */
long subject_rewrite(struct subject *s);
bool subject_is_recorded(const struct subject *s);
/* At `at` is a jump to the beginning of a stub. */
void subject_expect_stub(const uint8_t *at);
/* Bytes as they were, but for the jump; where that leads is looked at. */
void subject_expect_jump(const struct subject *s);
void subject_expect_old(const struct subject *s);
/* As threads/moving.c does it. */
void subject_undo(struct subject *s);
void subject_end(struct subject *s);

#endif
