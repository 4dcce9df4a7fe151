/* descriptors.c - the agent's descriptor stays out of the program's reach
 *
 * close() of it answers EBADF, as for a number that is not open; dup2() onto it first moves it away; close_range()
 * leaves it out.
 */
#include "lazy/codefd.h"
#include "lazy/patch.h"
#include "threads/call.h"
#include "threads/owners.h"
#include <linux/errno.h>
#include "base/poison.h"

/* The child of a vfork has a table of its own, where the descriptor is a mere copy. */
static bool is_ours(long fd)
{
	return !zl_block_here()->is_vforked && zl_codefd_number() >= 0 && (unsigned)fd == (unsigned)zl_codefd_number() &&
	       zl_codefd_get() >= 0;
}

long zl_own_close(struct zl_frame *frame)
{
	return is_ours(frame->call.arg[0]) ? -EBADF : zl_call_make(frame);
}

long zl_own_dup(struct zl_frame *frame)
{
	if (is_ours(frame->call.arg[0]))
		return -EBADF;
	if (is_ours(frame->call.arg[1])) {
		zl_lock(&zl_patch_lock);
		zl_codefd_move();
		zl_unlock(&zl_patch_lock);
	}
	return zl_call_make(frame);
}

long zl_own_close_range(struct zl_frame *frame)
{
	unsigned first = (unsigned)frame->call.arg[0], last = (unsigned)frame->call.arg[1];
	long flags = frame->call.arg[2], result = 0;
	unsigned ours = (unsigned)zl_codefd_number();

	if (!is_ours(ours) || ours < first || ours > last)
		return zl_call_make(frame);
	if (first < ours)
		result = zl_call_as(frame, __NR_close_range, first, ours - 1, flags, 0, 0, 0);
	if (result == 0 && ours < last)
		result = zl_call_as(frame, __NR_close_range, ours + 1, last, flags, 0, 0, 0);
	return result;
}
