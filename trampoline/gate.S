/* gate.S - where calls that C code makes for the program enter the kernel
 *
 * A gate runs with the program's registers and stack pointer, so that the kernel, a core dump, seccomp or a tracer
 * sees the program; the agent's stack pointer waits in the block. Between zl_*_window and the `syscall` a signal
 * that the real handler notes sends the pc to the interrupted exit (threads/region.c), so a noted signal is never
 * followed by a call that sleeps.
 *
 * A gate returns by jmp where returns.c says so.
 */
#include "base/slot.h"
#include "trampoline/cfi.h"
#include "trampoline/frame.h"
#include <asm/unistd.h>

.macro global name
	.globl	\name
	.hidden	\name
\name:
.endm

.macro push_callee_saved
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	pushq	%r12
	.cfi_adjust_cfa_offset 8
	pushq	%r13
	.cfi_adjust_cfa_offset 8
	pushq	%r14
	.cfi_adjust_cfa_offset 8
	pushq	%r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 40
	.cfi_rel_offset rbp, 32
	.cfi_rel_offset r12, 24
	.cfi_rel_offset r13, 16
	.cfi_rel_offset r14, 8
	.cfi_rel_offset r15, 0
.endm

.macro program_callee_saved frame
	movq	FRAME_RBX(\frame), %rbx
	movq	FRAME_RBP(\frame), %rbp
	movq	FRAME_R12(\frame), %r12
	movq	FRAME_R13(\frame), %r13
	movq	FRAME_R14(\frame), %r14
	movq	FRAME_R15(\frame), %r15
.endm

.macro program_stack frame
	movq	FRAME_RSP(\frame), %rsp
	.cfi_def_cfa rsp, 0
	.cfi_offset rip, -8
	.cfi_same_value rbx
	.cfi_same_value rbp
	.cfi_same_value r12
	.cfi_same_value r13
	.cfi_same_value r14
	.cfi_same_value r15
.endm

# A place of its own for the jump's prediction wherever it stands. Clobbers rcx.
.macro return_from_kernel
	cmpl	$0, zl_returns_by_jump(%rip)
	jne	1f
	ret
1:	popq	%rcx
	.cfi_adjust_cfa_offset -8
	.cfi_register rip, rcx
	jmp	*%rcx
.endm

	.section zl_gate, "ax", @progbits

# zl_gate_call - make frame->call; long zl_gate_call(struct zl_frame *)
# in:   rdi frame, which is gs:BLOCK_FRAME
# out:  rax as the kernel gave it; or ZLAZY_INTERRUPTED, FRAME_STATE says so, and the call was not made
# stack: six registers on the agent's; the program's during the call
	.p2align 4
	.type	zl_gate_call, @function
	.cfi_startproc
	global	zl_gate_call
	push_callee_saved
	movq	%rsp, %gs:BLOCK_GATE_RSP
	.cfi_remember_state
	global	zl_gate_call_window
	movq	%rdi, %rcx
	program_callee_saved %rcx
	movq	FRAME_NUMBER(%rcx), %rax
	movq	FRAME_ARG0(%rcx), %rdi
	movq	FRAME_ARG1(%rcx), %rsi
	movq	FRAME_ARG2(%rcx), %rdx
	movq	FRAME_ARG3(%rcx), %r10
	movq	FRAME_ARG4(%rcx), %r8
	movq	FRAME_ARG5(%rcx), %r9
	program_stack %rcx
	cmpl	$0, %gs:BLOCK_NOTED
	jne	zl_gate_interrupted
	syscall
	global	zl_gate_call_after
	global	zl_gate_return
	movq	%gs:BLOCK_GATE_RSP, %rsp
	.cfi_restore_state
	popq	%r15
	.cfi_adjust_cfa_offset -8
	popq	%r14
	.cfi_adjust_cfa_offset -8
	popq	%r13
	.cfi_adjust_cfa_offset -8
	popq	%r12
	.cfi_adjust_cfa_offset -8
	popq	%rbp
	.cfi_adjust_cfa_offset -8
	popq	%rbx
	.cfi_adjust_cfa_offset -8
	return_from_kernel
	.cfi_endproc
	.size	zl_gate_call, . - zl_gate_call

# __x86_return_thunk - what functions marked zl_from_kernel jump to in place of `ret`; the name is the compiler's
# in, out: as ret; clobbers rcx
	.type	__x86_return_thunk, @function
	.cfi_startproc
	global	__x86_return_thunk
	return_from_kernel
	.cfi_endproc
	.size	__x86_return_thunk, . - __x86_return_thunk

	.type	zl_gate_interrupted, @function
	.cfi_startproc
	.cfi_def_cfa rsp, 0
	global	zl_gate_interrupted
	movq	%gs:BLOCK_FRAME, %rcx
	movb	$STATE_AGAIN, FRAME_STATE(%rcx)
	movabsq	$RESULT_INTERRUPTED, %rax
	jmp	zl_gate_return
	.cfi_endproc
	global	zl_gate_interrupted_end
	.size	zl_gate_interrupted, . - zl_gate_interrupted

# zl_gate_i386 - the same by int $0x80; long zl_gate_i386(struct zl_frame *)
	.p2align 4
	.type	zl_gate_i386, @function
	.cfi_startproc
	global	zl_gate_i386
	push_callee_saved
	movq	%rsp, %gs:BLOCK_GATE_RSP
	global	zl_gate_i386_window
	movq	%rdi, %r11
	program_callee_saved %r11
	movl	FRAME_NUMBER(%r11), %eax
	movl	FRAME_ARG0(%r11), %ebx
	movl	FRAME_ARG1(%r11), %ecx
	movl	FRAME_ARG2(%r11), %edx
	movl	FRAME_ARG3(%r11), %esi
	movl	FRAME_ARG4(%r11), %edi
	movl	FRAME_ARG5(%r11), %ebp
	program_stack %r11
	cmpl	$0, %gs:BLOCK_NOTED
	jne	zl_gate_interrupted
	int	$0x80
	global	zl_gate_i386_after
	jmp	zl_gate_return
	.cfi_endproc
	.size	zl_gate_i386, . - zl_gate_i386

# zl_gate_clone - fork, vfork, clone, clone3; long zl_gate_clone(struct zl_frame *, struct zl_block *child)
# in:   signals blocked as threads/child.c wants it; what comes all the same is noted
# out:  the parent returns, and so does a child that has a copy of this stack: its block is the parent's, which gs still
#       points at. Any other goes to zl_child with its block in r9
# stack: as zl_gate_call
	.p2align 4
	.type	zl_gate_clone, @function
	.cfi_startproc
	global	zl_gate_clone
	push_callee_saved
	movq	%rsp, %gs:BLOCK_GATE_RSP
	movq	%rdi, %rcx
	movq	%rsi, %r9
	program_callee_saved %rcx
	movq	FRAME_NUMBER(%rcx), %rax
	movq	FRAME_ARG0(%rcx), %rdi
	movq	FRAME_ARG1(%rcx), %rsi
	movq	FRAME_ARG2(%rcx), %rdx
	movq	FRAME_ARG3(%rcx), %r10
	movq	FRAME_ARG4(%rcx), %r8
	program_stack %rcx
	syscall
	global	zl_gate_clone_after
	testq	%rax, %rax
	jnz	zl_gate_return
	movq	%rsp, BLOCK_CHILD_RSP(%r9)
	cmpq	%r9, %gs:BLOCK_SELF
	je	zl_gate_return
	jmp	zl_child
	.cfi_endproc
	global	zl_gate_clone_end
	.size	zl_gate_clone, . - zl_gate_clone

# zl_gate_sigreturn - rt_sigreturn on a frame that the agent prepared; does not return
# in:   rdi its ucontext; every signal blocked
	.p2align 4
	.type	zl_gate_sigreturn, @function
	.cfi_startproc
	.cfi_undefined rip
	global	zl_gate_sigreturn
	movq	%rdi, %rsp
	movl	$__NR_rt_sigreturn, %eax
	syscall
	global	zl_gate_sigreturn_after
	ud2
	.cfi_endproc
	.size	zl_gate_sigreturn, . - zl_gate_sigreturn

# zl_gate_resume - the same on a frame of the agent's own making, whatever the program's filters say: at the restorer
# rt_sigreturn passes them. Does not return
# in:   rdi its ucontext
	.p2align 4
	.type	zl_gate_resume, @function
	.cfi_startproc
	.cfi_undefined rip
	global	zl_gate_resume
	movq	%rdi, %rsp
	jmp	zl_restorer
	.cfi_endproc
	.size	zl_gate_resume, . - zl_gate_resume

# zl_gate_exit - end this thread, which stands on the slot that it gives back; does not return
# in:   rdi block, esi status, rdx head of the free list, ecx __NR_exit or __NR_exit_group; every signal blocked
# stack: none from the moment the block is on the list: another thread may own it
	.p2align 4
	.type	zl_gate_exit, @function
	.cfi_startproc
	.cfi_undefined rip
	global	zl_gate_exit
	movq	(%rdx), %rax
1:	movq	%rax, BLOCK_NEXT_FREE(%rdi)
	lock cmpxchgq %rdi, (%rdx)
	jne	1b
	movl	%esi, %edi
	movl	%ecx, %eax
	syscall
	ud2
	.cfi_endproc
	.size	zl_gate_exit, . - zl_gate_exit
	.skip	16, 0xcc

	.section .note.GNU-stack, "", @progbits
