/* vector.S - extended state (x87, SSE, AVX, AVX-512, AMX) around hook code that may use it
 *
 * By component (parts.S) where the CPU tells what is in use; else as a whole, by xsavec, xsave or fxsave. PKRU stays as
 * the program has it. The area lies on the agent's stack, below the frame; FRAME_VECTORS tells where while it is valid.
 * Hook code starts with the x87 stack empty and MXCSR at its default, as the ABI promises to a function.
 */
#include "trampoline/frame.h"

#define XSAVE_HEADER	512
#define XSTATE_FPSSE	3

# The header must be zero but for what xsave writes; movq leaves the flags.
.macro clear_header area
	.irp at, 0, 8, 16, 24, 32, 40, 48, 56
	movq	$0, XSAVE_HEADER+\at(\area)
	.endr
.endm

	.text
# zl_with_vectors - long zl_with_vectors(long (*function)(struct zl_frame *), struct zl_frame *frame)
# in:   rdi function, rsi frame
# out:  rax what it returned; extended state as on entry
# stack: zl_vector_size bytes, 64-aligned
	.globl	zl_with_vectors
	.hidden	zl_with_vectors
	.type	zl_with_vectors, @function
zl_with_vectors:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register rbp
	pushq	%rbx
	.cfi_offset rbx, -24
	pushq	%r12
	.cfi_offset r12, -32
	movq	%rdi, %rbx
	movq	%rsi, %r12
	movl	zl_vector_size(%rip), %eax
	subq	%rax, %rsp
	andq	$-64, %rsp
	movq	%rsp, %rdi
	call	zl_save_vectors
	movl	%r12d, %eax
	subl	%esp, %eax
	movl	%eax, FRAME_VECTORS(%r12)
	movq	%r12, %rdi
	call	*%rbx
	movq	%rax, %rbx
	movq	%rsp, %rdi
	movl	$0, FRAME_VECTORS(%r12)
	call	zl_restore_vectors
	movq	%rbx, %rax
	leaq	-16(%rbp), %rsp
	popq	%r12
	popq	%rbx
	popq	%rbp
	.cfi_def_cfa rsp, 8
	jmp	__x86_return_thunk
	.cfi_endproc
	.size	zl_with_vectors, . - zl_with_vectors

# zl_save_vectors - void zl_save_vectors(void *area)
# in:   rdi area, 64-aligned
# out:  x87 and MXCSR as hook code wants them; clobbers rax rcx rdx r8
	.globl	zl_save_vectors
	.hidden	zl_save_vectors
	.type	zl_save_vectors, @function
zl_save_vectors:
	.cfi_startproc
	cmpl	$VECTOR_PARTS, zl_vector_kind(%rip)
	je	zl_save_parts
	movl	zl_vector_mask(%rip), %eax
	movl	zl_vector_mask+4(%rip), %edx
	cmpl	$VECTOR_XSAVE, zl_vector_kind(%rip)
	jb	2f
	clear_header %rdi
	je	1f
	xsavec64 (%rdi)
	jmp	3f
1:	xsave64	(%rdi)
	jmp	3f
2:	fxsave64 (%rdi)
	fninit
	jmp	4f
3:	testb	$1, XSAVE_HEADER(%rdi)		# x87 in use?
	jz	4f
	fninit
4:	pushq	$MXCSR_DEFAULT
	.cfi_adjust_cfa_offset 8
	testb	$4, zl_vector_mask(%rip)	# AVX: the VEX form, which costs nothing with dirty upper halves
	jz	5f
	vldmxcsr (%rsp)
	jmp	6f
5:	ldmxcsr	(%rsp)
6:	popq	%rax
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size	zl_save_vectors, . - zl_save_vectors

# zl_restore_vectors - void zl_restore_vectors(void *area)
# in:   rdi area; clobbers rax rcx rdx r8
	.globl	zl_restore_vectors
	.hidden	zl_restore_vectors
	.type	zl_restore_vectors, @function
zl_restore_vectors:
	.cfi_startproc
	cmpl	$VECTOR_PARTS, zl_vector_kind(%rip)
	je	zl_restore_parts
	movl	zl_vector_mask(%rip), %eax
	movl	zl_vector_mask+4(%rip), %edx
	cmpl	$VECTOR_XSAVE, zl_vector_kind(%rip)
	jb	1f
	xrstor64 (%rdi)
	ret
1:	fxrstor64 (%rdi)
	ret
	.cfi_endproc
	.size	zl_restore_vectors, . - zl_restore_vectors

# zl_save_for_frame - void zl_save_for_frame(void *area, uint64_t features)
# in:   rdi area, 64-aligned, rsi features
# out:  x87 and SSE are marked as in use even where they are not, as Linux does it for programs that know no xsave
	.globl	zl_save_for_frame
	.hidden	zl_save_for_frame
	.type	zl_save_for_frame, @function
zl_save_for_frame:
	.cfi_startproc
	movq	%rsi, %rax
	movq	%rsi, %rdx
	shrq	$32, %rdx
	clear_header %rdi
	xsave64	(%rdi)
	orq	$XSTATE_FPSSE, XSAVE_HEADER(%rdi)
	ret
	.cfi_endproc
	.size	zl_save_for_frame, . - zl_save_for_frame

	.section .note.GNU-stack, "", @progbits
