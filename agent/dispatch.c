/* dispatch.c - from entry.S to the hooks and owners, on the agent's own stack
 *
 * General registers only: the extended state is the program's until zl_with_vectors() has saved it. While hook
 * code runs, the block sends its own calls to the nested stack and the nested filter.
 */
#include "agent/hooks.h"
#include "threads/call.h"
#include "threads/owners.h"
#include "threads/slots.h"
#include "threads/vsud.h"
#include "base/poison.h"

uint8_t zl_filter[ZL_FILTER_SIZE];
uint8_t zl_filter_nested[ZL_FILTER_SIZE];
uint8_t zl_filter_foreign[ZL_FILTER_SIZE];
struct zl_direct zl_direct[ZL_DIRECT], zl_direct_preserving[ZL_DIRECT];

/* int $0x80 has its arguments elsewhere. */
static void take_i386_arguments(struct zl_frame *frame)
{
	const uint64_t arg[6] = { frame->rbx, frame->rcx, frame->rdx, frame->rsi, frame->rdi, frame->rbp };
	for (int i = 0; i < 6; i++)
		frame->call.arg[i] = (long)(uint32_t)arg[i];
}

static long run_hooks(struct zl_frame *frame)
{
	return zl_hooks_run(frame);
}

/* Does the handler still run that interrupted again_site? Its calls are made from again_handler_rsp on down, under
 * the interrupted code or on a stack of its own. If not, it has been left by longjmp. */
static bool is_in_handler(const struct zl_block *block, uint64_t rsp)
{
	return rsp <= block->again_handler_rsp &&
	       (block->again_rsp > block->again_handler_rsp || rsp > block->again_rsp);
}

/* The same call as the one that was interrupted before the last signal? */
static void look_for_again(struct zl_block *block, struct zl_frame *frame)
{
	if (!block->is_again_next && is_in_handler(block, frame->rsp))
		return;
	if (block->is_again_next && block->again_site == (uintptr_t)frame->call.site && block->again_rsp == frame->rsp)
		frame->call.flags |= ZLAZY_CALL_AGAIN;
	block->has_again = false;
	block->is_again_next = false;
}

/* Everything but the direct calls of a hook by entry.S and preserve.S: owners of what no hook wants, preserving hooks
 * inside general ones, int $0x80, calls seen again, the program's own Syscall User Dispatch.
 * @entry */
zl_from_kernel long zl_dispatch(struct zl_frame *frame, unsigned bits)
{
	struct zl_block *block = zl_block_here();
	bool was_in_hook = zl_slot_is_in_hook(block);
	long result;

	if (zl_vsud_stops(frame))
		return frame->result;
	frame->level = 0;
	if (bits == ZL_I386) {
		take_i386_arguments(frame);
		bits = frame->filter[ZLAZY_NUMBERS];
	}
	if (bits & ZL_WANTED) {
		look_for_again(block, frame);
		zl_slot_enter_hook(block);
		result = bits & ZL_PRESERVE ? zl_with_vectors(run_hooks, frame) : run_hooks(frame);
		if (!was_in_hook)
			zl_slot_leave_hook(block);
	} else {
		result = zl_call_real(frame);
	}
	return result;
}
