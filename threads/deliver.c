/* deliver.c - give a signal to the program as the kernel would
 *
 * The frame that the kernel would have built is built on the stack that the program chose:
 *
 *     rsp -> pretcode | ucontext | siginfo | padding | extended state (64-aligned)
 *
 * and the real frame, on the agent's stack, is changed to return into the program's handler, with no extended
 * state of its own: the kernel then starts the handler with the initial state, MXCSR and PKRU included. At the exit of
 * a call, where there is no real frame, deliver_here() makes one.
 * (Linux, arch/x86/kernel/signal_64.c, x64_setup_rt_frame; signal.c, get_sigframe.)
 */
#include "threads/call.h"
#include "threads/deliver.h"
#include "base/copy.h"
#include "base/raw.h"
#include "base/string.h"
#include "threads/owners.h"
#include "threads/sighand.h"
#include "threads/slots.h"
#include "threads/altstack.h"
#include "threads/handler.h"
#include "trampoline/entry.h"
#include <limits.h>
#include <linux/errno.h>
#include "base/poison.h"

enum {
	RED_ZONE = 128, STATE_ALIGNMENT = 64, LEGACY_STATE = 512, TRAP_FLAG = 0x100,
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

static long send_to_self(int signal, const siginfo_t *info)
{
	long pid = zl_raw(__NR_getpid), tid = zl_raw(__NR_gettid);
	long result = zl_raw(__NR_rt_tgsigqueueinfo, pid, tid, signal, info);
	return result == 0 ? 0 : zl_raw(__NR_tgkill, pid, tid, signal);
}

/* Where a seccomp filter forbids to send it: by what raises it, or at least a fault. */
static void die_by_hand(const struct zl_block *block, int signal, struct ucontext *context)
{
	const uintptr_t non_canonical = 1UL << 63;

	if (signal == SIGSYS) {
		context->uc_mcontext.rip = (uintptr_t)zl_deliver_trap;
	} else if (signal == SIGILL) {
		context->uc_mcontext.rip = (uintptr_t)zl_deliver_trap_after;   /* ud2 */
	} else {
		zl_sighand_default(block->sighand, SIGSEGV);
		context->uc_mcontext.rip = non_canonical;
	}
}

/* The program dies of this signal, with its own registers; a core file tells the siginfo. */
static void die(const struct zl_block *block, int signal, const siginfo_t *info, struct ucontext *context)
{
	uint64_t bit = zl_signal_bit(signal);

	zl_raw(__NR_rt_sigprocmask, SIG_BLOCK, &bit, 0, sizeof(bit));   /* not before the program's state is back */
	if (signal == SIGSYS && atomic_load(&block->sighand->spans_processes))
		signal = SIGKILL;   /* without the agent's handler the other processes could make no call that traps */
	else
		zl_sighand_default(block->sighand, signal);
	context->uc_sigmask &= ~bit;
	if (send_to_self(signal, info) == -EACCES)
		die_by_hand(block, signal, context);
}

static bool build(struct zl_block *block, int signal, const siginfo_t *info, struct ucontext *context,
		  const struct zl_action *action)
{
	struct program_frame frame = { .pretcode = action->restorer, .context = *context, .info = *info };
	size_t size = state_size(context->uc_mcontext.fpstate);
	struct sigcontext *c = &context->uc_mcontext;
	uintptr_t at, state;

	if (!(action->flags & ZL_SA_RESTORER) || !place(block, action, c->rsp, size, &at, &state))
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
	c->cs = ZL_CODE_64;   /* the signal may have interrupted 32-bit code */
	c->ss = ZL_DATA;
	c->eflags &= ~(uint64_t)(FLAGS_DIRECTION | TRAP_FLAG | FLAGS_RESUME);
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
		die(block, signal, info, context);   /* or stop, or nothing: the kernel's default action */
		return;
	}
	if (!build(block, signal, info, context, &action)) {
		siginfo_t fault = { .si_signo = SIGSEGV, .si_code = SI_KERNEL };
		if (signal == SIGSEGV)
			die(block, SIGSEGV, &fault, context);
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

enum { KEPT = ZL_ARRAY_SIZE(((struct zl_block *)0)->kept_info) };

/* SIGSYS and the faults, which are not blocked for the program or while another is noted. KEPT for any other. */
static unsigned kept_slot(int signal)
{
	static const uint8_t kept[KEPT] = { SIGSYS, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
	unsigned slot = 0;
	while (slot < KEPT && kept[slot] != signal)
		slot++;
	return slot;
}

/* Of the rest, all that the program handles is blocked while one is noted, but a handler may be newer than that: such a
 * signal goes back to the kernel, blocked. */
static void keep(struct zl_block *block, int signal, const siginfo_t *info, struct ucontext *context)
{
	unsigned slot = kept_slot(signal);

	if (slot == KEPT) {
		context->uc_sigmask |= zl_signal_bit(signal);
		send_to_self(signal, info);
		return;
	}
	if (!(block->kept_pending & zl_signal_bit(signal)))
		block->kept_info[slot] = *info;
	__atomic_fetch_or(&block->kept_pending, zl_signal_bit(signal), __ATOMIC_SEQ_CST);
	zl_slot_choose_filter(block);
}

/* The kernel can't block the agent's signals for the program, nor those of faults in the agent's critical sections: they
 * are blocked here. */
static bool is_blocked(const struct zl_block *block, int signal, const struct zl_mask_in_force *mask)
{
	uint64_t in_force = mask->is_temporary ? mask->mask : block->mask;
	return in_force & zl_signal_bit(signal) & (atomic_load(&zl_agent_signals) | zl_fault_signals);
}

bool zl_take_kept(struct zl_block *block, uint64_t set, siginfo_t *info)
{
	uint64_t due = block->kept_pending & set;
	int signal;

	if (!due)
		return false;
	signal = __builtin_ctzl(due) + 1;
	*info = block->kept_info[kept_slot(signal)];
	__atomic_fetch_and(&block->kept_pending, ~zl_signal_bit(signal), __ATOMIC_SEQ_CST);   /* the handler may add one */
	zl_slot_choose_filter(block);
	info->si_signo = signal;   /* rt_tgsigqueueinfo() takes any */
	return true;
}

static void set_noted(struct zl_block *block, int signal, const siginfo_t *info, const struct zl_mask_in_force *mask)
{
	block->noted_info = *info;
	block->has_noted_mask = mask->is_temporary;
	block->noted_mask = mask->mask;
	block->noted_as = ZL_NOTED_SENT;
	block->noted_layout.extended_size = 0;
	block->noted = (uint32_t)signal;
}

/* For deliver_here(). */
static void remember_context(struct zl_block *block, const struct ucontext *context)
{
	const struct _fpstate *state = context->uc_mcontext.fpstate;

	if (!state || state->sw_reserved.magic1 != FP_XSTATE_MAGIC1)
		return;
	block->noted_context = *context;
	block->noted_layout = state->sw_reserved;
}

void zl_note_own(struct zl_block *block, const siginfo_t *info, enum zl_noted_as as)
{
	static const struct zl_mask_in_force none;
	set_noted(block, info->si_signo, info, &none);
	block->noted_as = (uint8_t)as;
}

bool zl_note_kept(struct zl_block *block)
{
	static const struct zl_mask_in_force none;
	siginfo_t info;

	if (!zl_take_kept(block, ~block->mask, &info))
		return false;
	set_noted(block, info.si_signo, &info, &none);
	return true;
}

void zl_requeue_kept(struct zl_block *block)
{
	siginfo_t info;

	while (zl_take_kept(block, ~0UL, &info))
		send_to_self(info.si_signo, &info);
}

void zl_deliver(struct zl_block *block, int signal, const siginfo_t *info, struct ucontext *context,
		const struct zl_mask_in_force *mask)
{
	if (is_blocked(block, signal, mask))
		keep(block, signal, info, context);
	else
		enter_handler(block, signal, info, context, mask);
}

void zl_deliver_fault(struct zl_block *block, int signal, const siginfo_t *info, struct ucontext *context)
{
	static const struct zl_mask_in_force none;
	struct zl_action action = zl_sighand_get(block->sighand, signal, false);

	if ((block->mask & zl_signal_bit(signal)) || action.handler <= (uintptr_t)SIG_IGN)
		die(block, signal, info, context);
	else
		enter_handler(block, signal, info, context, &none);
}

/* One of the agent's signals that the program neither blocks nor handles waits for no hook: it ends the program at once
 * or does nothing, as every other does by the kernel itself. In a gate, where the program's own state is near, it is
 * noted. No lock: one word is read. */
static bool act_by_default(struct zl_block *block, int signal, const siginfo_t *info, struct ucontext *context)
{
	uintptr_t handler = *(volatile uintptr_t *)&block->sighand->action[signal - 1].handler;

	if (!(atomic_load(&zl_agent_signals) & zl_signal_bit(signal)) || handler > (uintptr_t)SIG_IGN)
		return false;
	if (!block->is_hook_thread && !zl_is_in_slot(block, context->uc_mcontext.rsp))
		return false;
	if (handler == (uintptr_t)SIG_DFL)
		die(block, signal, info, context);
	return true;
}

void zl_note(struct zl_block *block, int signal, const siginfo_t *info, struct ucontext *context,
	     const struct zl_mask_in_force *mask)
{
	if (!is_blocked(block, signal, mask) && act_by_default(block, signal, info, context))
		return;
	if (block->noted || is_blocked(block, signal, mask)) {
		keep(block, signal, info, context);
		return;
	}
	set_noted(block, signal, info, mask);
	remember_context(block, context);
	context->uc_sigmask |= zl_sighand_held(block->sighand);
}

void zl_note_fault(struct zl_block *block, int signal, const siginfo_t *info, struct ucontext *context)
{
	static const struct zl_mask_in_force none;

	if (block->noted) {
		keep(block, signal, info, context);
		return;
	}
	set_noted(block, signal, info, &none);
	block->noted_as = ZL_NOTED_FORCED;
	context->uc_sigmask |= zl_sighand_held(block->sighand);
}

/* A call that is to be made again: is a handler of the program to run before it? */
static void note_interruption(struct zl_block *block, const struct sigcontext *c)
{
	if (!block->has_again || block->again_handler_rsp)
		return;
	block->is_again_next = c->rip == block->again_site;
	if (!block->is_again_next)
		block->again_handler_rsp = c->rsp + sizeof(uintptr_t);   /* when it has returned to its restorer */
}

/* Noted, then what was kept: each frame on top of the one before, as the kernel builds them. */
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
	if (signal && block->noted_as == ZL_NOTED_EXIT)
		die(block, signal, &info, context);
	else if (signal && block->noted_as == ZL_NOTED_FORCED)
		zl_deliver_fault(block, signal, &info, context);
	else if (signal)
		zl_deliver(block, signal, &info, context, &mask);   /* not if the call that noted it has blocked it */
	note_interruption(block, c);
	mask.is_temporary = false;
	while (zl_take_kept(block, ~block->mask, &info)) {
		enter_handler(block, info.si_signo, &info, context, &mask);
		note_interruption(block, c);
	}
}

/* Without the trap, which costs more than all the rest of a delivery: the general registers are in the frame, the live
 * extended state is the program's, and what else a signal frame tells the kernel has told when the signal was noted.
 * Returns if that is not known, or if signals can't be blocked meanwhile (as a trap does it). */
static void deliver_here(struct zl_block *block, const struct zl_frame *frame)
{
	const struct _fpx_sw_bytes *layout = &block->noted_layout;
	const uint32_t end = FP_XSTATE_MAGIC2;
	struct ucontext context;
	struct _fpstate *state;

	if (!layout->extended_size || zl_signals_close() != 0)
		return;
	state = __builtin_alloca_with_align(layout->extended_size, STATE_ALIGNMENT * CHAR_BIT);
	zl_save_for_frame(state, layout->xfeatures);
	state->sw_reserved = *layout;
	memcpy((char *)state + layout->xstate_size, &end, sizeof(end));
	context = block->noted_context;
	context.uc_stack = zl_slot_real_stack(block);
	context.uc_mcontext.fpstate = state;
	zl_region_from_frame(&context.uc_mcontext, frame);
	zl_deliver_noted(block, &context);
	zl_gate_resume(&context);
}

/* At the exit of a call (entry.S): deliver, or send the thread to zl_deliver_trap with the program's registers. */
void zl_prepare_delivery(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	struct sigcontext after;

	if (block->is_hook_thread || zl_is_in_slot(block, frame->rsp))
		return;   /* hook code made this call: the signal waits for the program's */
	zl_region_from_frame(&after, frame);
	block->resume = (struct zl_resume){ .rip = after.rip, .rax = after.rax, .rcx = after.rcx, .r11 = after.r11 };
	if (frame->state == ZL_FRAME_AGAIN) {
		block->has_again = true;
		block->again_site = (uintptr_t)frame->call.site;
		block->again_rsp = frame->rsp;
		block->again_handler_rsp = 0;
		block->is_again_next = false;
	}
	block->left_to = after.rip;
	block->left_with = after.rax;
	deliver_here(block, frame);
	frame->rip = (uintptr_t)zl_deliver_trap;
	frame->kind = KIND_JUMP;
	frame->state = ZL_FRAME_DONE;
}
