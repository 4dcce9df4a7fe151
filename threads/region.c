/* region.c - what the interrupted pc means (signals.md section 1; labels in trampoline/entry.S and gate.S)
 *
 *     pc                                        what happens
 *     entry, before the `syscall` of an         rewound: the site has not been executed
 *       unwanted call; the sled; a stub
 *     after that `syscall`                      rolled forward: the call has returned
 *     exit of a call that C code has seen       rolled forward, from the frame
 *     gate of such a call                       busy; before `syscall`, if the signal is noted, the gate is sent to
 *                                               its interrupted exit
 *     gate of clone and its kin                 busy
 *     any other pc on a stack of the slot       agent or hook code: busy
 *     else                                      the program itself
 *
 * The kernel has dealt with an interrupted call by now: pc at the `syscall` means "again", after it "result".
 */
#include "threads/region.h"
#include "base/copy.h"
#include "base/raw.h"
#include "lazy/bytes.h"
#include "lazy/stubs.h"
#include "lazy/trap.h"
#include "trampoline/entry.h"
#include "trampoline/zero.h"
#include <linux/errno.h>
#include <linux/io_uring.h>
#include "base/poison.h"

static bool is_within(uintptr_t pc, const char *start, const char *end)
{
	return pc >= (uintptr_t)start && pc < (uintptr_t)end;
}

/* Where the mask argument of a call that has one is, and whether by way of a structure that begins with the pointer. */
static uint64_t mask_argument(long number, const uint64_t arg[6], bool *is_inside)
{
	*is_inside = false;
	switch (number) {
	case __NR_rt_sigsuspend: return arg[0];
	case __NR_ppoll: return arg[3];
	case __NR_epoll_pwait: case 441 /* epoll_pwait2 */: return arg[4];
	case __NR_pselect6: case __NR_io_pgetevents: *is_inside = true; return arg[5];
	case __NR_io_uring_enter: *is_inside = arg[3] & IORING_ENTER_EXT_ARG; return arg[4];
	default: return 0;
	}
}

static void find_mask(long number, const uint64_t arg[6], long result, struct zl_mask_in_force *mask)
{
	bool is_inside;
	uint64_t pointer = mask_argument(number, arg, &is_inside);

	if (result != -EINTR || !pointer)
		return;
	if (is_inside && !zl_copy_in(&pointer, pointer, sizeof(pointer)))
		return;
	mask->is_temporary = pointer && zl_copy_in(&mask->mask, pointer, sizeof(mask->mask));
}

/* Where an entry has saved what, and what the call that led to it has pushed. */
struct entry {
	const char *r11, *saved, *moved, *flags, *after;   /* after: the `syscall` of a plain call */
	uint64_t pushed;
};
static const struct entry entry_call = { zl_call_r11, zl_call_saved, zl_call_moved, zl_call_flags, zl_plain_call_after,
					 sizeof(uintptr_t) },
			  entry_jump = { zl_jump_r11, zl_jump_saved, zl_jump_moved, zl_jump_flags, zl_plain_jump_after,
					 0 },
			  entry_i386 = { zl_i386_r11, zl_i386_saved, zl_i386_moved, zl_i386_flags, NULL, 0 };

/* The kernel has been there, and wants the call made again. */
static bool is_restarted(const struct sigcontext *c, const struct entry *entry)
{
	return c->rip + ZL_SITE_SIZE == (uintptr_t)entry->after && c->rcx == (uintptr_t)entry->after;
}

/* Registers as the entry found them. The flags that are not of status may have changed since, by a debugger. */
static void restore(struct sigcontext *c, const struct zl_block *b, const struct entry *entry)
{
	const struct zl_frame *f = b->top;
	uintptr_t pc = c->rip;
	bool was_in_kernel = is_restarted(c, entry);

	if (pc >= (uintptr_t)entry->r11)
		c->r11 = b->r11;
	if (pc >= (uintptr_t)entry->flags)
		c->eflags = (c->eflags & ~(uint64_t)FLAGS_STATUS) | (f->flags & FLAGS_STATUS);
	if (pc >= (uintptr_t)entry->moved)
		c->rsp = f->rsp - entry->pushed;
	if (pc >= (uintptr_t)entry->saved) {
		c->rax = f->rax;
		c->rcx = f->rcx;
	}
	if (is_within(pc, zl_call_look, zl_call_look_end))
		c->rdx = f->rdx;
	if (was_in_kernel) {
		c->rcx = f->rip;
		c->r11 = c->eflags;
	}
}

void zl_region_restore_call(struct sigcontext *c, const struct zl_block *b)
{
	restore(c, b, &entry_call);
}

/* Undo the `call *%rax`: rsp points at the return address. A call through NULL goes back to where it landed. */
static void undo_call(struct sigcontext *c)
{
	uintptr_t after;
	if (zl_copy_in(&after, c->rsp, sizeof(after)) && zl_site_claims(after, c->rax)) {
		c->rip = after - ZL_SITE_SIZE;
		c->rsp += 8;
	} else {
		c->rip = (uintptr_t)zl_entry_call;
	}
}

static void roll_forward(struct sigcontext *c, const struct zl_frame *f, uintptr_t to, struct zl_mask_in_force *mask)
{
	const uint64_t arg[6] = { c->rdi, c->rsi, c->rdx, c->r10, c->r8, c->r9 };
	find_mask((int)f->rax, arg, (long)c->rax, mask);
	c->rip = c->rcx = to;
	c->r11 = c->eflags &= ~(uint64_t)FLAGS_RESUME;   /* which a page fault on the way has set, and `syscall` clears */
}

static bool settle_entry_call(struct zl_block *b, struct sigcontext *c, struct zl_mask_in_force *mask)
{
	if (zl_zero_contains(c->rip)) {
		undo_call(c);
	} else if (is_within(c->rip, zl_plain_call_after, zl_plain_call_end)) {
		roll_forward(c, b->top, b->top->rip, mask);
		c->rsp = b->top->rsp;
	} else if (is_within(c->rip, zl_entry_call, zl_hooked)) {
		zl_region_restore_call(c, b);
		undo_call(c);
	} else {
		return false;
	}
	return true;
}

/* On the way from a jump of a rewritten site, up to where the entry has the continuation. */
static bool settle_stub(struct zl_block *b, struct sigcontext *c)
{
	struct zl_stub_place place;

	if (is_within(c->rip, zl_entry_stub, zl_jump_r11)) {
		c->rip = c->r11 - ZL_SITE_SIZE;
		c->r11 = b->r11;
		return true;
	}
	if (!zl_stub_place(c->rip, &place))
		return false;
	if (place.has_continuation)
		c->r11 = b->r11;
	c->rip = place.pc;
	return true;
}

static bool settle_entry_jump(struct zl_block *b, struct sigcontext *c, struct zl_mask_in_force *mask)
{
	if (is_within(c->rip, zl_plain_jump_after, zl_plain_jump_end)) {
		roll_forward(c, b->top, b->ret, mask);
	} else if (is_within(c->rip, zl_entry_jump, zl_entry_i386)) {
		restore(c, b, &entry_jump);
		c->rip = b->ret - ZL_SITE_SIZE;
	} else if (is_within(c->rip, zl_entry_i386, zl_entry_call)) {
		restore(c, b, &entry_i386);
		c->rip = b->ret - ZL_SITE_SIZE;
	} else {
		return false;
	}
	return true;
}

void zl_region_from_frame(struct sigcontext *c, const struct zl_frame *f)
{
	bool is_again = f->state != ZL_FRAME_DONE, keeps_rcx = f->kind == KIND_I386;
	c->rdi = f->rdi;
	c->rsi = f->rsi;
	c->rdx = f->rdx;
	c->r10 = f->r10;
	c->r8 = f->r8;
	c->r9 = f->r9;
	c->rbx = f->rbx;
	c->rbp = f->rbp;
	c->r12 = f->r12;
	c->r13 = f->r13;
	c->r14 = f->r14;
	c->r15 = f->r15;
	c->rsp = f->rsp;
	c->eflags = f->flags;
	c->rax = is_again ? f->rax : (uint64_t)f->result;
	c->rip = is_again ? f->rip - ZL_SITE_SIZE : f->rip;
	c->rcx = keeps_rcx ? f->rcx : f->rip;
	c->r11 = keeps_rcx ? f->r11 : c->eflags;
}

/* In a gate, before its `syscall`, or in one that is to be restarted. */
static bool is_in_window(uintptr_t pc)
{
	return is_within(pc, zl_gate_call_window, zl_gate_call_after) ||
	       is_within(pc, zl_gate_i386_window, zl_gate_i386_after);
}

void zl_region_divert(struct sigcontext *c)
{
	if (is_in_window(c->rip))
		c->rip = (uintptr_t)zl_gate_interrupted;
}

/* The gates of calls that C code makes. */
static bool settle_gate(struct zl_block *b, struct sigcontext *c, struct zl_mask_in_force *mask)
{
	if (is_in_window(c->rip))
		return true;
	if (c->rip == (uintptr_t)zl_gate_call_after) {
		const struct zlazy_call *call = &b->frame->call;
		const uint64_t arg[6] = { (uint64_t)call->arg[0], (uint64_t)call->arg[1], (uint64_t)call->arg[2],
					  (uint64_t)call->arg[3], (uint64_t)call->arg[4], (uint64_t)call->arg[5] };
		find_mask(call->number, arg, (long)c->rax, mask);
		return true;
	}
	if (is_within(c->rip, (const char *)zl_gate_clone, zl_gate_clone_end))
		return true;   /* on the program's stack, but in the middle of an owner */
	return c->rip == (uintptr_t)zl_gate_i386_after || c->rip == (uintptr_t)zl_gate_return ||
	       is_within(c->rip, zl_gate_interrupted, zl_gate_interrupted_end);
}

/* The stack pointer of who makes the call, where an entry has moved to the frame. */
static uintptr_t stack_of(const struct zl_block *b, const struct sigcontext *c)
{
	bool has_moved = c->rsp - (uintptr_t)b->top <= sizeof(b->top->flags);
	return has_moved && is_within(c->rip, zl_entry_jump, zl_hooked) ? b->top->rsp : c->rsp;
}

enum zl_region zl_region_settle(struct zl_block *block, struct sigcontext *c, struct zl_mask_in_force *mask)
{
	mask->is_temporary = false;
	if (settle_gate(block, c, mask))
		return ZL_REGION_BUSY;
	if (is_within(c->rip, zl_exit_begin, zl_exit_end)) {
		if (block->is_hook_thread || zl_is_in_slot(block, block->top->rsp) || block->noted ||
		    block->top->rip == (uintptr_t)zl_deliver_trap)   /* it is about to deliver another */
			return ZL_REGION_BUSY;
		zl_region_from_frame(c, block->top);
		return ZL_REGION_PROGRAM;
	}
	if (zl_is_in_slot(block, stack_of(block, c)) || c->rip == (uintptr_t)zl_deliver_trap)
		return ZL_REGION_BUSY;
	if (c->rip == (uintptr_t)zl_null_trap)
		c->rip = (uintptr_t)zl_entry_call;   /* every register is the program's here: it calls NULL again */
	(void)(settle_entry_call(block, c, mask) || settle_stub(block, c) || settle_entry_jump(block, c, mask));
	return ZL_REGION_PROGRAM;
}
