/* view.c - what an instruction does to rsp and rbp */
#include "lazy/view.h"
#include "base/poison.h"

/* rsp becomes something unknown: count as if it had stayed, but trust no sizes. */
static void lose_level(struct zl_view *view)
{
	view->is_loose = true;
	if (view->rbp_kind == ZL_IS_FRAME)
		view->rbp_kind = ZL_IS_UNKNOWN;
}

void zl_view_move(struct zl_view *view, const struct zl_insn *insn)
{
	if (insn->rbp == ZL_RBP_FRAME) {
		view->rbp = view->level + insn->frame_offset;
		view->rbp_kind = view->is_loose ? ZL_IS_UNKNOWN : ZL_IS_FRAME;
	} else if (insn->rbp == ZL_RBP_OTHER) {
		view->rbp_kind = ZL_IS_DATA;
	}
	switch (insn->stack) {
	case ZL_STACK_MOVE:
		view->level += insn->amount;
		break;
	case ZL_STACK_DOWN:
		view->is_loose = true;
		break;
	case ZL_STACK_POP_RBP:
		view->level += ZL_SLOT;
		break;
	case ZL_STACK_FROM_RBP:
		if (view->rbp_kind != ZL_IS_FRAME) {
			lose_level(view);
			break;
		}
		view->level = view->rbp + insn->amount;
		view->is_loose = false;
		break;
	case ZL_STACK_OTHER:
		lose_level(view);
		break;
	}
}

bool zl_view_is_proof(const struct zl_insn *insn)
{
	return insn->flow == ZL_FLOW_CALL || (insn->stack == ZL_STACK_FROM_RBP && insn->amount < 0);
}
