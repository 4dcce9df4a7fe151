/* handler.c - the one handler that the kernel knows
 *
 * SIGSYS of Syscall User Dispatch is a call to be made; zl_null_trap and zl_deliver_trap are the agent's own traps;
 * a fault may be the agent's to mend. Everything else is a signal for the program: delivered at once where the
 * interrupted state is, or can be made, the program's own, noted otherwise.
 */
#include "threads/handler.h"
#include "base/copy.h"
#include "base/fatal.h"
#include "base/raw.h"
#include "base/sites.h"
#include "base/tally.h"
#include "lazy/bytes.h"
#include "lazy/fault.h"
#include "lazy/stubs.h"
#include "lazy/trap.h"
#include "threads/call.h"
#include "threads/deliver.h"
#include "threads/region.h"
#include "threads/sighand.h"
#include "trampoline/entry.h"
#include "trampoline/zero.h"
#include <linux/audit.h>
#include <linux/errno.h>
#include "base/poison.h"

extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

enum { FLAGS_USUAL = FLAGS_STATUS | 0x202 };   /* interrupts enabled, and the bit that is always set */
enum { SECCOMP_TRAP = 1 /* SYS_SECCOMP */, USER_DISPATCH = 2 /* SYS_USER_DISPATCH */ };

static bool is_in_agent(uintptr_t pc)
{
	return pc >= (uintptr_t)__ehdr_start && pc < (uintptr_t)_end;
}

static bool is_in_gate(uintptr_t pc)
{
	return pc >= (uintptr_t)__start_zl_gate && pc < (uintptr_t)__stop_zl_gate;
}

static bool is_in_stub(uintptr_t pc)
{
	size_t offset;
	return zl_stub_at(pc, &offset) != NULL;
}

/* The address after the site whose call pc, right after a `syscall` of the gate, has just made. */
static uintptr_t site_of_gate(const struct zl_block *block, uintptr_t pc)
{
	if (pc == (uintptr_t)zl_gate_call_after || pc == (uintptr_t)zl_gate_i386_after)
		return block->frame->rip;
	return pc == (uintptr_t)zl_plain_jump_after ? block->ret : block->top->rip;
}

/* And its number. */
static int number_of_gate(const struct zl_block *block, uintptr_t pc)
{
	if (pc == (uintptr_t)zl_gate_call_after || pc == (uintptr_t)zl_gate_i386_after)
		return (int)block->frame->call.number;
	return (int)block->top->rax;
}

static bool bytes_are(uintptr_t at, uint8_t first, uint8_t second)
{
	uint8_t bytes[2];
	return zl_copy_in(bytes, at, sizeof(bytes)) && bytes[0] == first && bytes[1] == second;
}

/* The kernel's own siginfo of a dispatched call; a child whose exit signal is SIGSYS may end with CLD_KILLED, the same
 * code. */
static bool is_dispatch(const siginfo_t *info, const struct sigcontext *c)
{
	return info->si_code == USER_DISPATCH && (uintptr_t)info->si_call_addr == c->rip;
}

/* Is this SIGSYS the trap of the `syscall` (or int $0x80) right before pc? A SIGSYS that was queued to the thread
 * takes the place of the trap's own siginfo; then the registers that `syscall` leaves tell. */
static bool is_trap(const struct zl_block *block, const siginfo_t *info, const struct sigcontext *c)
{
	if (is_in_gate(c->rip))
		return false;
	if (is_dispatch(info, c))
		return true;
	if (c->rip == block->left_to && c->rax == block->left_with)
		return false;   /* the call before has just come back */
	return c->rcx == c->rip && bytes_are(c->rip - 2, 0x0f, 0x05);
}

static bool is_i386(const siginfo_t *info, const struct sigcontext *c)
{
	return is_dispatch(info, c) && info->si_arch == AUDIT_ARCH_I386;
}

static void resume_at_entry(struct zl_block *block, const siginfo_t *info, struct sigcontext *c)
{
	uintptr_t pc = c->rip;

	if (is_in_agent(pc))
		zl_fatal(ZL_FATAL_TRAP, pc);
	if (zl_read_self() != block)
		zl_fatal(ZL_FATAL_BLOCK, pc);
	if (c->cs != ZL_CODE_64)
		zl_fatal(ZL_FATAL_SEGMENT, pc);
	block->ret = pc;
	if (is_i386(info, c)) {
		zl_tally_add(&zl_shared->tally.int80, 1);
		c->rip = (uintptr_t)zl_entry_i386;
		return;
	}
	zl_site_trapped(pc, c->rax);
	c->rip = (uintptr_t)zl_entry_jump;
}

/* A signal came as the mask was opened: its place is before the call, which nobody has seen yet. */
static void deliver_at_site(struct zl_block *block, struct ucontext *context)
{
	const struct sigcontext *c = &context->uc_mcontext;

	zl_signals_close();
	block->resume = (struct zl_resume){ .rip = block->ret - ZL_SITE_SIZE, .rax = c->rax, .rcx = c->rcx, .r11 = c->r11 };
	zl_deliver_noted(block, context);
}

/* On to the entry without rt_sigreturn, which costs the kernel more than setting the mask and restoring the extended
 * state cost apart. Returns if it has to be by rt_sigreturn: where more than that differs from the handler's state, or
 * a filter of the program's leaves no other way. */
static void enter(struct zl_block *block, struct ucontext *context)
{
	const struct sigcontext *c = &context->uc_mcontext;
	const struct _fpstate *state = c->fpstate;
	struct zl_frame *frame = block->top;

	if (c->rip != (uintptr_t)zl_entry_jump || c->ss != ZL_DATA || (c->eflags & ~(uint64_t)FLAGS_USUAL) || !state ||
	    state->sw_reserved.magic1 != FP_XSTATE_MAGIC1)
		return;
	if (zl_raw(__NR_rt_sigprocmask, SIG_SETMASK, &context->uc_sigmask, 0, sizeof(context->uc_sigmask)) != 0)
		return;
	if (zl_unlikely(block->noted) && !block->is_hook_thread && !zl_is_in_slot(block, c->rsp))
		return deliver_at_site(block, context);
	block->r11 = c->r11;
	frame->rax = c->rax;
	frame->rcx = c->rcx;
	frame->rsp = c->rsp;
	frame->flags = c->eflags;
	zl_entry_trapped(frame, c);
}

static void on_asynchronous(struct zl_block *block, int signal, siginfo_t *info, struct ucontext *context)
{
	struct zl_mask_in_force mask;

	if (zl_region_settle(block, &context->uc_mcontext, &mask) == ZL_REGION_PROGRAM && !block->is_hook_thread)
		zl_deliver(block, signal, info, context, &mask);
	else
		zl_note(block, signal, info, context, &mask);
	if (block->noted)
		zl_region_divert(&context->uc_mcontext);
}

static void on_null_call(struct zl_block *block, siginfo_t *info, struct ucontext *context)
{
	struct sigcontext *c = &context->uc_mcontext;
	uintptr_t after;

	if (zl_copy_in(&after, c->rsp, sizeof(after)) && zl_site_claims(after, block->top->rax)) {
		c->rax = block->top->rax;
		c->rcx = block->top->rcx;
		c->r11 = block->r11;
		c->rsp += sizeof(after);
		block->ret = after;
		c->rip = (uintptr_t)zl_entry_jump;
		return;
	}
	zl_fault_null_call(info, c, block);
	if (block->is_hook_thread || zl_is_in_slot(block, c->rsp))
		zl_fatal(ZL_FATAL_HOOK_FAULT, c->rip);
	zl_deliver_fault(block, SIGSEGV, info, context);
}

/* A jump through NULL with a stack pointer that points nowhere. */
static void on_null_jump(struct zl_block *block, siginfo_t *info, struct ucontext *context)
{
	zl_region_restore_call(&context->uc_mcontext, block);
	on_null_call(block, info, context);
}

/* Raised at the gate, for the program's call; not sent with rt_sigqueueinfo, or by a child's end (CLD_EXITED). */
static bool is_seccomp_trap(const struct zl_block *block, const siginfo_t *info, const struct sigcontext *c)
{
	return info->si_code == SECCOMP_TRAP && is_in_gate(c->rip) && info->si_arch &&
	       info->si_syscall == number_of_gate(block, c->rip);
}

/* The kernel forces it on the program, as a fault. */
static void on_seccomp_trap(struct zl_block *block, siginfo_t *info, struct ucontext *context)
{
	struct zl_mask_in_force mask;

	if (zl_region_settle(block, &context->uc_mcontext, &mask) == ZL_REGION_PROGRAM && !block->is_hook_thread)
		zl_deliver_fault(block, SIGSYS, info, context);
	else
		zl_note_fault(block, SIGSYS, info, context);
}

/* A dispatched call whose number is that of -ERESTARTSYS or its kin looks to the kernel like one that is to be
 * restarted: it has put the pc back, or -EINTR in the place of the number. */
static void undo_restart(const siginfo_t *info, struct sigcontext *c)
{
	uintptr_t after = c->rip + ZL_SITE_SIZE;
	if (info->si_code == USER_DISPATCH && (uintptr_t)info->si_call_addr == after &&
	    (c->rcx == after || info->si_arch == AUDIT_ARCH_I386))
		c->rip = after;
	if (is_dispatch(info, c) && (long)c->rax == -EINTR)
		c->rax = (uint64_t)(long)info->si_syscall;
}

static void on_sigsys(struct zl_block *block, siginfo_t *info, struct ucontext *context)
{
	struct sigcontext *c = &context->uc_mcontext;
	siginfo_t foreign = *info;
	bool is_foreign;

	undo_restart(info, c);
	is_foreign = !is_dispatch(info, c);
	if (is_seccomp_trap(block, info, c)) {
		foreign.si_call_addr = (void *)site_of_gate(block, c->rip);
		return on_seccomp_trap(block, &foreign, context);
	}
	if (c->rip == (uintptr_t)zl_deliver_trap_after)
		zl_deliver_noted(block, context);
	else if (c->rip == (uintptr_t)zl_null_trap_after)
		on_null_call(block, info, context);
	else if (is_trap(block, info, c)) {
		resume_at_entry(block, info, c);
		if (!is_foreign)
			enter(block, context);
	} else
		is_foreign = true;
	if (is_foreign)
		on_asynchronous(block, SIGSYS, &foreign, context);
}

static bool is_agents_step(const struct zl_block *block, const siginfo_t *info, const struct sigcontext *c)
{
	bool is_after_call = c->rcx == c->rip && (zl_site_state(c->rip) || bytes_are(c->rip - 2, 0x0f, 0x05));
	return info->si_code == TRAP_TRACE &&   /* natively, too, no step ends right behind a `syscall` */
	       (is_after_call || is_in_agent(c->rip) || zl_is_in_slot(block, c->rsp) || zl_zero_contains(c->rip));
}

/* Of a stub only the end of the displaced instruction is there for the program, at the site. */
static bool is_step_in_stub(siginfo_t *info, struct sigcontext *c)
{
	struct zl_stub_place place;

	if (info->si_code != TRAP_TRACE || !zl_stub_place(c->rip, &place))
		return false;
	if (!place.is_displaced)
		return true;
	c->rip = place.pc;
	info->si_addr = (void *)place.pc;
	return false;
}

/* The program ran out of stack, or the kernel did not like its signal frame, inside the exit or a gate. */
static bool settle_own_access(struct zl_block *block, struct sigcontext *c)
{
	struct zl_mask_in_force mask;
	if (c->rip == (uintptr_t)zl_plain_call_slot || c->rip == (uintptr_t)zl_exit_slot)
		return zl_region_settle(block, c, &mask) == ZL_REGION_PROGRAM;
	return false;
}

static void on_fault(struct zl_block *block, int signal, siginfo_t *info, struct ucontext *context)
{
	struct sigcontext *c = &context->uc_mcontext;

	if (signal == SIGTRAP && (is_agents_step(block, info, c) || is_step_in_stub(info, c)))
		return;   /* the program steps itself: our instructions are not there for it */
	if (zl_fault_resolve(signal, c, block) || settle_own_access(block, c))
		return;
	if (signal == SIGSEGV)
		zl_fault_clean(info, c);
	if (c->rip == (uintptr_t)zl_gate_sigreturn_after)
		zl_region_from_frame(c, block->frame);   /* a bad frame of the program */
	else if ((is_in_gate(c->rip) || is_in_stub(c->rip)) && !zl_is_in_slot(block, c->rsp) &&
		 c->rip != (uintptr_t)zl_call_stack)
		zl_fatal(ZL_FATAL_BLOCK, c->rip);   /* entry and plain calls touch nothing but the block and the slot */
	else if (c->rip == (uintptr_t)zl_call_stack)
		return on_null_jump(block, info, context);
	else if (block->is_hook_thread || zl_is_in_slot(block, c->rsp) || is_in_agent(c->rip))
		zl_fatal(is_in_agent(c->rip) ? ZL_FATAL_FAULT : ZL_FATAL_HOOK_FAULT, c->rip);
	zl_deliver_fault(block, signal, info, context);
}

/* Right after a `syscall` of ours no instruction has run that could fault: it is a signal that the program queued to
 * itself with the siginfo of a fault. */
static bool is_queued(uintptr_t pc)
{
	return pc == (uintptr_t)zl_plain_call_after || pc == (uintptr_t)zl_plain_jump_after ||
	       pc == (uintptr_t)zl_gate_call_after || pc == (uintptr_t)zl_gate_i386_after ||
	       pc == (uintptr_t)zl_gate_clone_after || pc == (uintptr_t)zl_raw_syscall_after;
}

/* A child's end is told by any signal that its maker has chosen, with a code that may also be a fault's. Then si_pid and
 * si_uid stand where the address would be: what the CPU says tells them apart. */
static bool is_of_child(int signal, const siginfo_t *info, const struct sigcontext *c)
{
	uintptr_t address = (uintptr_t)info->si_addr;

	if (info->si_code < CLD_EXITED || info->si_code > CLD_DUMPED)
		return false;
	if (signal == SIGBUS && info->si_code == BUS_ADRALN)
		return address != 0;
	return address != (signal == SIGSEGV || signal == SIGBUS ? c->cr2 : c->rip);
}

/* The kernel leaves the alignment check on when it enters a handler. */
static void clear_alignment_check(void)
{
	__asm__ volatile("pushfq; andl %0, (%%rsp); popfq" : : "i"(~FLAGS_UNSUITABLE) : "cc", "memory");
}

void zl_real_handler(int signal, siginfo_t *info, struct ucontext *context)
{
	struct zl_block *block = zl_block_here();

	if (zl_unlikely(context->uc_mcontext.eflags & FLAGS_UNSUITABLE))
		clear_alignment_check();

	if (block->self != block)
		zl_fatal(ZL_FATAL_BLOCK, context->uc_mcontext.rip);
	if (signal == SIGSYS)
		on_sigsys(block, info, context);
	else if (zl_signal_bit(signal) & zl_fault_signals && info->si_code > 0 &&
		 !is_queued(context->uc_mcontext.rip) && !is_of_child(signal, info, &context->uc_mcontext))
		on_fault(block, signal, info, context);
	else
		on_asynchronous(block, signal, info, context);
}
