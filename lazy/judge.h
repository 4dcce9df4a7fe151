/* judge.h - may this site be rewritten to `call *%rax`?  (design.md section 6, rows 5, 20, 21) */
#ifndef ZL_LAZY_JUDGE_H
#define ZL_LAZY_JUDGE_H

#include "base/verdict.h"
#include <stdbool.h>
#include <stdint.h>

enum { ZL_JUDGE_BEFORE = 192, ZL_JUDGE_AFTER = 320 };

/* The code around a site, copied by the caller. bytes[site_offset] is the 0f of the `0f 05`.
 * Fewer than ZL_JUDGE_BEFORE bytes before the site mean that the byte before them can't be read, so nothing is
 * executed there either: the window must not be cut short for any other reason. */
struct zl_code {
	uint8_t bytes[ZL_JUDGE_BEFORE + ZL_JUDGE_AFTER];
	unsigned site_offset;  /* readable bytes before the site: 0..ZL_JUDGE_BEFORE */
	unsigned size;         /* readable bytes in all */
};

/* Whether the site is that of a restorer: its number, 15, is moved to eax or rax right before it. */
bool zl_judge_is_restorer(const struct zl_code *code);

/* Judge the site. Pure: no memory but *code and its own frame (under 4 KiB), general registers only.
 * context: SIGSYS. Returns ZL_OK, ZL_NO_DECODER, ZL_INSIDE, ZL_RED_ZONE or ZL_SIGRETURN. */
enum zl_verdict zl_judge(const struct zl_code *code);

#endif
