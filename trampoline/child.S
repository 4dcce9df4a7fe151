/* child.S - the first instructions of a new thread, or of a process in the same memory */
#include "base/slot.h"
#include "trampoline/frame.h"

.macro global name
	.globl	\name
	.hidden	\name
\name:
.endm

	.section zl_gate, "ax", @progbits

# zl_child - a new thread, or process in the same memory, from its first instructions
# in:   r9 block; everything else as the parent's gate left it
# stack: none of the program's
	.p2align 4
	.type	zl_child, @function
	.cfi_startproc
	.cfi_undefined rip
	global	zl_child
	movq	BLOCK_FRAME(%r9), %rbx
	movl	FRAME_VECTORS(%rbx), %eax
	movq	%rbx, %rsp
	subq	%rax, %rsp
	movq	%r9, %rdi
	call	zl_child_begin
	movq	%rbx, %rdi
	.cfi_endproc
	.size	zl_child, . - zl_child
	# falls through

# zl_child_leave - the child goes on in the program, with result 0
# in:   rdi frame of the clone; extended state the program's
	.type	zl_child_leave, @function
	.cfi_startproc
	.cfi_undefined rip
	global	zl_child_leave
	movq	%rdi, %rsp
	movl	$0, FRAME_VECTORS(%rsp)
	movq	FRAME_RBX(%rsp), %rbx
	movq	FRAME_RBP(%rsp), %rbp
	movq	FRAME_R12(%rsp), %r12
	movq	FRAME_R13(%rsp), %r13
	movq	FRAME_R14(%rsp), %r14
	movq	FRAME_R15(%rsp), %r15
	xorl	%eax, %eax
	jmp	zl_exit_frame
	.cfi_endproc
	.size	zl_child_leave, . - zl_child_leave

	.section .note.GNU-stack, "", @progbits
