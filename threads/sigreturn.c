/* sigreturn.c - rt_sigreturn by the program
 *
 * The program's ucontext is copied, with the real alternate stack and mask put in, and the kernel returns through
 * the copy: whatever the program changed in it holds. Extended state stays where it is.
 */
#include "base/copy.h"
#include "base/raw.h"
#include "threads/altstack.h"
#include "threads/call.h"
#include "threads/deliver.h"
#include "threads/owners.h"
#include "threads/sighand.h"
#include "threads/slots.h"
#include "base/poison.h"

/* A frame that can't be read: SIGSEGV, delivered at the end of the call. */
static long bad_frame(struct zl_block *block)
{
	block->noted = SIGSEGV;
	block->noted_info = (siginfo_t){ .si_signo = SIGSEGV, .si_code = SI_KERNEL };
	block->has_noted_mask = false;
	return 0;
}

long zl_own_sigreturn(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	struct ucontext context;
	stack_t wanted;

	if (!zl_signals_close(block))
		return zl_call_interrupted(frame);
	if (!zl_copy_in(&context, frame->rsp, sizeof(context))) {
		long result = bad_frame(block);
		zl_signals_open(block);
		return result;
	}
	wanted = context.uc_stack;
	(void)zl_alternate_set(&block->alternate, &wanted, context.uc_mcontext.rsp);   /* errors don't count here */
	block->mask = context.uc_sigmask & ~(zl_signal_bit(SIGKILL) | zl_signal_bit(SIGSTOP));
	zl_release_kept(block);
	context.uc_stack = zl_slot_real_stack(block);
	context.uc_sigmask = zl_real_mask(block->mask);
	block->is_again_next = context.uc_mcontext.rip == block->again_site && context.uc_mcontext.rsp == block->again_rsp;
	block->left_to = context.uc_mcontext.rip;
	block->left_with = context.uc_mcontext.rax;
	block->frame = frame;
	zl_slot_leave_hook(block);
	zl_gate_sigreturn(&context);
}
