/* block.h - the per-thread block
 *
 * gs points at it in every armed thread; the real signal handler finds it by masking rsp instead (zl_block_here).
 * Only its own thread touches a block, but for: threads/ while it prepares a child's block, and the free list.
 *
 * Invariants, outside entry and exit:
 *     self == &block
 *     top == the frame at the top of (runs hook code ? nested stack : hook stack)
 *     noted != 0  =>  every signal that the program handles is blocked in the kernel for this thread
 *     real mask == virtual mask less the agent's signals, outside agent code
 */
#ifndef ZL_BASE_BLOCK_H
#define ZL_BASE_BLOCK_H

#include "base/slot.h"
#include "base/types.h"
#include <linux/signal.h>
#include <asm/sigcontext.h>
#include <asm/ucontext.h>

struct zl_frame;
struct zl_sighand;
struct zl_seccomp;
struct zl_fork;

/* Where the program goes on after a signal has been delivered at the exit of a call (threads/deliver.c). */
struct zl_resume {
	uint64_t rip, rax, rcx, r11;
};

/* The program's own Syscall User Dispatch (threads/vsud.c), as the kernel keeps it: calls from [offset, offset +
 * length) pass, round the end of the address space, too; selector 0: no others do. */
struct zl_vsud {
	bool is_on;
	uint64_t offset, length;
	uintptr_t selector;
};

struct zl_block {
	uint64_t r11;                   /* as entry found it, from zl_*_r11 to the plain call; as that left it, till it has
					 * returned */
	uint64_t ret;                   /* continuation of a trap: the address after the site */
	struct zl_frame *top;           /* of the next call; while a call is on its way in or out, its own */
	struct zl_frame *frame;         /* of the call that a gate makes */
	uint64_t gate_rsp;              /* agent's stack while a gate runs on the program's */
	uint64_t left_to, left_with;    /* pc and result with which the last trapped call went back to the program */
	uint32_t noted;                 /* signal number that waits for this call to end, or 0 */
	bool is_control_ready;          /* control is made for this thread, or made new for it */
	bool has_again;                 /* a call has been interrupted, and not been seen again: again_site */
	bool has_foreign_fs;            /* the program's fs is no block of glibc's, or another thread has it, too */
	bool is_hook_thread;            /* made by hook code: its calls reach no hook */

	uintptr_t control;              /* thread pointer of the hooks' control block, 0: none yet; the slot's */
	uintptr_t program_fs;           /* while hook code has its own */
	struct zl_block *self;
	struct zl_block *next_free;     /* free list: threads/slots.c */
	uint64_t child_rsp;             /* the stack that a new thread found itself on */
	uint64_t target;                /* where the exit of an int $0x80 jumps */
	const struct zl_seccomp *seccomp;   /* filters that it began with or has installed (base/seccomp.h) */

	bool is_again_next;             /* has_again: the handler has returned to again_site */
	bool is_vforked;                /* its parent gives the block back */
	bool has_own_process;           /* made with CLONE_VM, without CLONE_THREAD: exit_group ends this thread only */
	bool clears_sighand;            /* made with CLONE_CLEAR_SIGHAND */
	bool traces_at_exec;            /* is_vforked: its PTRACE_TRACEME is still to be made */
	uint64_t hook_mask;             /* is_hook_thread: its real mask */
	uint64_t mask;                  /* the program's virtual signal mask */
	stack_t alternate;              /* the program's virtual alternate stack; ss_flags SS_DISABLE or SS_AUTODISARM or 0 */
	siginfo_t noted_info;
	uint64_t noted_mask;            /* with has_noted_mask: the temporary mask that the signal came under */
	bool has_noted_mask;
	struct ucontext noted_context;  /* what the kernel showed when it was noted, for what is in no frame; */
	struct _fpx_sw_bytes noted_layout;  /* and its layout of extended state; extended_size 0: neither is known */
	struct zl_resume resume;
	struct zl_sighand *sighand;
	uint64_t kept_pending;          /* agent's signals that came while virtually blocked, bit per signal; the handler
					 * adds, the thread takes away, each by one atomic instruction */
	uint64_t again_site;            /* has_again: the call that was last interrupted, */
	uint64_t again_rsp;             /* and where the program's stack was */
	uintptr_t exec_scratch;         /* memory of an execve in a vfork child, unmapped by its parent */
	size_t exec_scratch_size;
	siginfo_t kept_info[6];         /* of the signals in kept_pending, by kept_slot() of threads/deliver.c */
	uint8_t noted_as;               /* enum zl_noted_as of threads/deliver.h */
	uint64_t again_handler_rsp;     /* has_again: where the stack of the handler begins that interrupted it; 0: none has */
	struct zl_fork *fork;           /* of the program, while the hooks' libc prepares for it (threads/fork.c) */
	uintptr_t ill_again;            /* pc of a SIGILL at what was a site, executed once more (lazy/fault.c), */
	uint64_t ill_changes;           /* after so many changes of sites */
	struct zl_vsud vsud;
};

static_assert(offsetof(struct zl_block, self) == BLOCK_SELF, "slot.h");
static_assert(offsetof(struct zl_block, r11) == BLOCK_R11, "slot.h");
static_assert(offsetof(struct zl_block, ret) == BLOCK_RET, "slot.h");
static_assert(offsetof(struct zl_block, top) == BLOCK_TOP, "slot.h");
static_assert(offsetof(struct zl_block, frame) == BLOCK_FRAME, "slot.h");
static_assert(offsetof(struct zl_block, gate_rsp) == BLOCK_GATE_RSP, "slot.h");
static_assert(offsetof(struct zl_block, noted) == BLOCK_NOTED, "slot.h");
static_assert(offsetof(struct zl_block, child_rsp) == BLOCK_CHILD_RSP, "slot.h");
static_assert(offsetof(struct zl_block, next_free) == BLOCK_NEXT_FREE, "slot.h");
static_assert(offsetof(struct zl_block, target) == BLOCK_TARGET, "slot.h");
static_assert(offsetof(struct zl_block, left_to) == BLOCK_LEFT_TO, "slot.h");
static_assert(offsetof(struct zl_block, left_with) == BLOCK_LEFT_WITH, "slot.h");
static_assert(offsetof(struct zl_block, has_again) == BLOCK_HAS_AGAIN, "slot.h");
static_assert(offsetof(struct zl_block, is_control_ready) == BLOCK_HAS_CONTROL, "slot.h");
static_assert(offsetof(struct zl_block, control) == BLOCK_CONTROL, "slot.h");
static_assert(offsetof(struct zl_block, program_fs) == BLOCK_PROGRAM_FS, "slot.h");
static_assert(sizeof(struct zl_block) <= SLOT_SIZE - SLOT_BLOCK, "slot.h");

static inline struct zl_block *zl_block_of_slot(uintptr_t address_in_slot)
{
	return (struct zl_block *)(zl_align_down(address_in_slot, SLOT_SIZE) + SLOT_BLOCK);
}

/* The block of the stack that we run on. pre: rsp lies in a slot. */
static inline struct zl_block *zl_block_here(void)
{
	uintptr_t rsp;
	__asm__ volatile("movq %%rsp, %0" : "=r"(rsp));
	return zl_block_of_slot(rsp);
}

/* The block of the running thread. pre: gs is the agent's. */
static inline struct zl_block *zl_block_self(void)
{
	struct zl_block *block;
	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(block) : "i"(BLOCK_SELF));
	return block;
}

static inline bool zl_is_in_slot(const struct zl_block *block, uintptr_t address)
{
	return zl_align_down(address, SLOT_SIZE) == zl_align_down((uintptr_t)block, SLOT_SIZE);
}

#endif
