/* sigreturn.c - rt_sigreturn by the program
 *
 * The program's ucontext is copied, with the real alternate stack and mask put in, and the kernel returns through
 * the copy: whatever the program changed in it holds. Extended state stays where it is. From the look at what is
 * noted to the kernel's return not even a sent SIGSEGV may come; a bad frame is met by then, for the kernel sets the
 * mask before it looks at the rest.
 */
#include "base/copy.h"
#include "threads/altstack.h"
#include "threads/call.h"
#include "threads/deliver.h"
#include "threads/owners.h"
#include "threads/sighand.h"
#include "threads/slots.h"
#include "trampoline/entry.h"
#include "base/poison.h"

/* A frame that can't be read: SIGSEGV, delivered at the end of the call. */
static long bad_frame(struct zl_block *block)
{
	const siginfo_t info = { .si_signo = SIGSEGV, .si_code = SI_KERNEL };
	zl_note_own(block, &info, ZL_NOTED_FORCED);
	zl_signals_open(block);
	return 0;
}

/* A kept signal that the old mask lets in comes right after the return: zl_deliver_trap takes it from there. */
static void send_to_delivery(struct zl_block *block, struct ucontext *context)
{
	struct sigcontext *c = &context->uc_mcontext;

	block->resume = (struct zl_resume){ .rip = c->rip, .rax = c->rax, .rcx = c->rcx, .r11 = c->r11 };
	c->rip = (uintptr_t)zl_deliver_trap;
	if (block->is_again_next) {   /* not next: after one more handler */
		block->is_again_next = false;
		block->again_handler_rsp = 0;
	}
	context->uc_sigmask |= zl_sighand_held(block->sighand);
}

long zl_own_sigreturn(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	struct ucontext context;
	stack_t wanted;
	bool is_read = zl_copy_in(&context, frame->rsp, sizeof(context));

	if (!zl_signals_close_all(block, frame))
		return zl_call_interrupted(frame);
	if (!is_read)
		return bad_frame(block);
	wanted = context.uc_stack;
	(void)zl_alternate_set(&block->alternate, &wanted, context.uc_mcontext.rsp);   /* errors don't count here */
	block->mask = context.uc_sigmask & ~(zl_signal_bit(SIGKILL) | zl_signal_bit(SIGSTOP));
	context.uc_stack = zl_slot_real_stack(block);
	context.uc_sigmask = zl_real_mask(block->mask);
	block->is_again_next = block->has_again && context.uc_mcontext.rip == block->again_site &&
			       context.uc_mcontext.rsp == block->again_rsp;
	block->left_to = context.uc_mcontext.rip;
	block->left_with = context.uc_mcontext.rax;
	if (zl_note_kept(block))
		send_to_delivery(block, &context);
	block->frame = frame;
	frame->vectors = 0;   /* for zl_with_vectors(), which is not gone back to */
	zl_slot_leave_hook(block);
	zl_gate_sigreturn(&context);
}
