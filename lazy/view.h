/* view.h - rsp and rbp, followed from one instruction to the next in a scale of the caller's choice */
#ifndef ZL_LAZY_VIEW_H
#define ZL_LAZY_VIEW_H

#include "lazy/decoder.h"

enum { ZL_SLOT = 8, ZL_ABI_RED_ZONE = 128 };
enum zl_rbp_kind { ZL_IS_UNKNOWN, ZL_IS_FRAME, ZL_IS_DATA };

struct zl_view {
	int level;                 /* rsp; no more than an estimate if is_loose */
	int rbp;                   /* if rbp_kind == ZL_IS_FRAME */
	uint8_t rbp_kind;          /* enum zl_rbp_kind */
	bool is_loose;             /* rsp was moved by an unknown amount */
};

/* Follow the instruction's change of rsp and rbp. */
void zl_view_move(struct zl_view *view, const struct zl_insn *insn);

/* Whether compilers use no red zone in a function with this instruction: a call, or rsp put back from rbp, which
 * tells that rsp is moved about in the body. */
bool zl_view_is_proof(const struct zl_insn *insn);

/* Whether `size` bytes at `at` from the site's rsp (0: all from there up) may concern the slot. Nothing can live lower
 * than the red zone. */
static inline bool zl_view_covers(int at, uint32_t size)
{
	return at < 0 && at >= -ZL_ABI_RED_ZONE && (size == 0 || at + (int)size > -ZL_SLOT);
}

#endif
