/* judge.h - may this site be rewritten to `call *%rax`?  (design.md section 6, rows 5, 20, 21) */
#ifndef ZL_LAZY_JUDGE_H
#define ZL_LAZY_JUDGE_H

#include "base/verdict.h"
#include "lazy/function.h"
#include <stdbool.h>
#include <stdint.h>

enum { ZL_JUDGE_BEFORE = 192, ZL_JUDGE_AFTER = 320, ZL_JUDGE_SIZE = 16384 };

/* The code around a site. bytes[site_offset] is the 0f of the `0f 05`.
 *
 * has_function: the bytes are those of code->function, all of them. Else nobody knows where the function begins and
 * ends: up to ZL_JUDGE_BEFORE bytes before the site, up to ZL_JUDGE_AFTER from there on. Fewer before it mean that
 * the byte before them can't be read, so nothing is executed there either: the window must not be cut short for any
 * other reason. */
struct zl_code {
	unsigned site_offset, size;
	bool has_function, is_too_long;    /* is_too_long: there is a function, but it has more than ZL_JUDGE_SIZE bytes */
	struct zl_function function;
	uint8_t bytes[ZL_JUDGE_SIZE];
};

/* Copy the code around a site. False if the site itself can't be read. context: SIGSYS */
bool zl_code_read(uintptr_t site, struct zl_code *code);
/* Copy up to `wanted` bytes, a page at most, that end right before the site; those that begin with it. Return how many.
 * context: SIGSYS */
unsigned zl_code_read_before(uint8_t *to, uintptr_t site, unsigned wanted);
unsigned zl_code_read_after(uint8_t *to, uintptr_t site, unsigned wanted);

struct zl_reading;

/* Whether the site is that of a restorer: its number, 15, is moved to eax or rax right before it. */
bool zl_judge_is_restorer(const struct zl_code *code);

/* The same of this number, sign-extended. */
bool zl_judge_is_described(const struct zl_code *code, uint64_t number);

/* Three questions, in this order. Pure: no memory but the code's and their own frame (under 4 KiB), general registers
 * only, no more than ZL_MOST_DECODED calls of the decoder together. context: SIGSYS */

/* What needs no decoding: ZL_OK, ZL_NO_DECODER or ZL_SIGRETURN. */
enum zl_verdict zl_judge_first(const struct zl_code *code);
/* Is the site an instruction of its own? */
bool zl_judge_is_instruction(struct zl_reading *reading);
/* Is the slot free that `call *%rax` would push? ZL_OK, ZL_RED_ZONE or ZL_TOO_LONG. */
enum zl_verdict zl_judge_stack(struct zl_reading *reading);

/* All three; ZL_INSIDE if it is none. */
enum zl_verdict zl_judge(const struct zl_code *code);

#endif
