/* deliver.c - give a signal to the program as the kernel would
 *
 * The frame that the kernel would have built is built on the stack that the program chose:
 *
 *     rsp -> pretcode | ucontext | siginfo | padding | extended state (64-aligned)
 *
 * and the real frame, on the agent's stack, is changed to return into the program's handler, with no extended
 * state of its own: the kernel then starts the handler with the initial state, MXCSR and PKRU included.
 * (Linux, arch/x86/kernel/signal_64.c, x64_setup_rt_frame; signal.c, get_sigframe.)
 */
#include "threads/deliver.h"
#include "base/copy.h"
#include "base/raw.h"
#include "base/string.h"
#include "threads/sighand.h"
#include "threads/slots.h"
#include "threads/altstack.h"
#include "trampoline/entry.h"
#include "base/poison.h"

enum {
	RED_ZONE = 128, STATE_ALIGNMENT = 64, LEGACY_STATE = 512,
	TRAP_FLAG = 0x100, RESUME_FLAG = 0x10000,
	RESTORER = 0x04000000,
};

struct program_frame {
	uintptr_t pretcode;
	struct ucontext context;
	siginfo_t info;
};

/* Bytes of extended state that the kernel saved at fpstate. */
static size_t state_size(const struct _fpstate *state)
{
	if (!state)
		return 0;
	return state->sw_reserved.magic1 == FP_XSTATE_MAGIC1 ? state->sw_reserved.extended_size : LEGACY_STATE;
}

/* Where the program's frame and extended state go; false if they overflow its alternate stack. */
static bool place(const struct zl_block *block, const struct zl_action *action, uintptr_t rsp, size_t size,
		  uintptr_t *frame, uintptr_t *state)
{
	const stack_t *alternate = &block->alternate;
	bool switches = (action->flags & SA_ONSTACK) && zl_alternate_is_enabled(alternate) &&
			!zl_alternate_contains(alternate, rsp);
	bool is_on = switches || zl_alternate_contains(alternate, rsp);
	uintptr_t top = switches ? (uintptr_t)alternate->ss_sp + alternate->ss_size : rsp - RED_ZONE;

	*state = zl_align_down(top - size, STATE_ALIGNMENT);
	*frame = zl_align_down(*state - sizeof(struct program_frame), 16) - 8;
	return !is_on || *frame - (uintptr_t)alternate->ss_sp < alternate->ss_size;
}

/* The program dies of this signal, with its own registers. */
static void die(int signal, struct ucontext *context)
{
	uint64_t bit = zl_signal_bit(signal);

	zl_raw(__NR_rt_sigprocmask, SIG_BLOCK, &bit, 0, sizeof(bit));   /* not before the program's state is back */
	zl_sighand_default(signal);
	context->uc_sigmask &= ~bit;
	zl_raw(__NR_tgkill, zl_raw(__NR_getpid), zl_raw(__NR_gettid), signal);
}

static bool build(struct zl_block *block, int signal, const siginfo_t *info, struct ucontext *context,
		  const struct zl_action *action)
{
	struct program_frame frame = { .pretcode = action->restorer, .context = *context, .info = *info };
	size_t size = state_size(context->uc_mcontext.fpstate);
	struct sigcontext *c = &context->uc_mcontext;
	uintptr_t at, state;

	if (!(action->flags & RESTORER) || !place(block, action, c->rsp, size, &at, &state))
		return false;
	frame.context.uc_stack = block->alternate;
	frame.context.uc_sigmask = block->mask;
	frame.context.uc_link = NULL;
	frame.context.uc_mcontext.fpstate = size ? (void *)state : NULL;
	if ((size && !zl_copy_out(state, c->fpstate, size)) || !zl_copy_out(at, &frame, sizeof(frame)))
		return false;
	c->rip = action->handler;
	c->rsp = at;
	c->rax = 0;
	c->rdi = (uint64_t)signal;
	c->rsi = at + offsetof(struct program_frame, info);
	c->rdx = at + offsetof(struct program_frame, context);
	c->eflags &= ~(uint64_t)(FLAGS_DIRECTION | TRAP_FLAG | RESUME_FLAG);
	c->fpstate = NULL;
	return true;
}

static void enter_handler(struct zl_block *block, int signal, const siginfo_t *info, struct ucontext *context,
			  const struct zl_mask_in_force *mask)
{
	struct zl_action action = zl_sighand_get(block->sighand, signal, true);
	uint64_t base = mask->is_temporary ? mask->mask : block->mask;

	if (action.handler == (uintptr_t)SIG_IGN)
		return;
	if (action.handler == (uintptr_t)SIG_DFL) {
		die(signal, context);   /* or stop, or nothing: the kernel's default action */
		return;
	}
	if (!build(block, signal, info, context, &action)) {
		siginfo_t fault = { .si_signo = SIGSEGV, .si_code = SI_KERNEL };
		if (signal == SIGSEGV)
			die(SIGSEGV, context);
		else
			zl_deliver_fault(block, SIGSEGV, &fault, context);
		return;
	}
	if (block->alternate.ss_flags & (int)SS_AUTODISARM)
		block->alternate = (stack_t){ .ss_flags = SS_DISABLE };
	block->mask = base | action.mask | (action.flags & SA_NODEFER ? 0 : zl_signal_bit(signal));
	block->mask &= ~(zl_signal_bit(SIGKILL) | zl_signal_bit(SIGSTOP));
	context->uc_sigmask = zl_real_mask(block->mask);
}

static unsigned kept_slot(int signal)
{
	return signal == SIGSYS ? 0 : signal == SIGSEGV ? 1 : signal == SIGBUS ? 2 : 3;
}

static void keep(struct zl_block *block, int signal, const siginfo_t *info)
{
	if (!(block->kept_pending & zl_signal_bit(signal)))
		block->kept_info[kept_slot(signal)] = *info;
	block->kept_pending |= zl_signal_bit(signal);
}

/* The kernel can't block the agent's signals for the program, so they are blocked here. */
static bool is_blocked(const struct zl_block *block, int signal, const struct zl_mask_in_force *mask)
{
	uint64_t in_force = mask->is_temporary ? mask->mask : block->mask;
	return in_force & zl_signal_bit(signal) & atomic_load(&zl_agent_signals);
}

bool zl_take_kept(struct zl_block *block, uint64_t set, siginfo_t *info)
{
	uint64_t due = block->kept_pending & set;
	int signal;

	if (!due)
		return false;
	signal = __builtin_ctzl(due) + 1;
	block->kept_pending &= ~zl_signal_bit(signal);
	*info = block->kept_info[kept_slot(signal)];
	return true;
}

void zl_deliver(struct zl_block *block, int signal, const siginfo_t *info, struct ucontext *context,
		const struct zl_mask_in_force *mask)
{
	if (is_blocked(block, signal, mask))
		keep(block, signal, info);
	else
		enter_handler(block, signal, info, context, mask);
}

void zl_deliver_fault(struct zl_block *block, int signal, const siginfo_t *info, struct ucontext *context)
{
	static const struct zl_mask_in_force none;
	struct zl_action action = zl_sighand_get(block->sighand, signal, false);

	if ((block->mask & zl_signal_bit(signal)) || action.handler <= (uintptr_t)SIG_IGN)
		die(signal, context);
	else
		enter_handler(block, signal, info, context, &none);
}

void zl_note(struct zl_block *block, int signal, const siginfo_t *info, struct ucontext *context,
	     const struct zl_mask_in_force *mask)
{
	uint64_t handled = atomic_load(&block->sighand->handled);

	if (block->noted || is_blocked(block, signal, mask)) {
		keep(block, signal, info);   /* noted: only one of the agent's can come second, the others are blocked */
		return;
	}
	block->noted = (uint32_t)signal;
	block->noted_info = *info;
	block->has_noted_mask = mask->is_temporary;
	block->noted_mask = mask->mask;
	context->uc_sigmask |= handled & ~zl_fault_signals & ~zl_signal_bit(SIGSYS);
}

/* At the exit of a call (entry.S): send the thread to zl_deliver_trap with the program's registers. */
void zl_prepare_delivery(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	struct sigcontext after;

	if (block->is_hook_thread || zl_is_in_slot(block, frame->rsp))
		return;   /* hook code made this call: the signal waits for the program's */
	zl_region_from_frame(&after, frame);
	block->resume = (struct zl_resume){ .rip = after.rip, .rax = after.rax, .rcx = after.rcx, .r11 = after.r11 };
	if (frame->state == ZL_FRAME_AGAIN) {
		block->again_site = (uintptr_t)frame->call.site;
		block->again_rsp = frame->rsp;
		block->is_again_next = false;
	}
	frame->rip = (uintptr_t)zl_deliver_trap;
	frame->kind = KIND_JUMP;
	frame->state = ZL_FRAME_DONE;
}

void zl_deliver_noted(struct zl_block *block, struct ucontext *context)
{
	struct sigcontext *c = &context->uc_mcontext;
	struct zl_mask_in_force mask = { block->has_noted_mask, block->noted_mask };
	int signal = (int)block->noted;
	siginfo_t info = block->noted_info;

	c->rip = block->resume.rip;
	c->rax = block->resume.rax;
	c->rcx = block->resume.rcx;
	c->r11 = block->resume.r11;
	block->noted = 0;
	context->uc_sigmask = zl_real_mask(block->mask);
	if (zl_signal_bit(signal) & zl_fault_signals && info.si_code > 0)
		zl_deliver_fault(block, signal, &info, context);
	else if (signal)
		enter_handler(block, signal, &info, context, &mask);
	zl_release_kept(block);
}

void zl_release_kept(struct zl_block *block)
{
	siginfo_t info;

	while (zl_take_kept(block, ~block->mask, &info)) {
		long pid = zl_raw(__NR_getpid), tid = zl_raw(__NR_gettid);
		if (zl_raw(__NR_rt_tgsigqueueinfo, pid, tid, info.si_signo, &info) != 0)
			zl_raw(__NR_tgkill, pid, tid, info.si_signo);
	}
}
