/* many.S - MANY_FUNCTIONS functions of MANY_SIZE bytes, each with one `syscall` (getpid) and its unwind table
 *
 * Four shapes in turn, as compilers make them: a bare wrapper, one with a frame and saved registers, one with a buffer
 * on its stack, and a loop before the call. None uses the red zone. They hold no address, so copies of them run, too.
 */
#include "many.h"
#include <asm/unistd.h>

	.text
	.globl	many_functions
	.hidden	many_functions
	.p2align 12
many_functions:

.macro begin
	.p2align MANY_SIZE_BITS
	.cfi_startproc
	endbr64
.endm

.macro call_getpid
	movl	$__NR_getpid, %eax
	syscall
	cmpq	$-4096, %rax
	ja	9f
.endm

.macro bare
	begin
	call_getpid
	ret
9:	negl	%eax
	ret
	.cfi_endproc
.endm

.macro frame
	begin
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register rbp
	pushq	%r12
	pushq	%rbx
	.cfi_offset r12, -24
	.cfi_offset rbx, -32
	movl	%edi, %ebx
	movq	%rsi, %r12
	leaq	(%rsi,%rdi,4), %rdx
	testl	%ebx, %ebx
	js	1f
	movslq	%ebx, %rcx
	shlq	$3, %rcx
	addq	%rcx, %rdx
	xorl	%esi, %esi
1:	movl	$8, %r10d
	call_getpid
2:	movq	%r12, %rcx
	addq	%rbx, %rcx
	.cfi_remember_state
	popq	%rbx
	popq	%r12
	popq	%rbp
	.cfi_def_cfa rsp, 8
	ret
	.cfi_restore_state
9:	negl	%eax
	jmp	2b
	.cfi_endproc
.endm

.macro buffer
	begin
	subq	$0x98, %rsp
	.cfi_def_cfa_offset 0xa0
	movq	%rdi, 0x10(%rsp)
	movl	%esi, 0x18(%rsp)
	movups	%xmm0, 0x20(%rsp)
	movq	%rsp, %rsi
	xorl	%eax, %eax
	cmpl	$3, 0x18(%rsp)
	jle	1f
	movq	0x10(%rsp), %rdx
	imulq	$0x30, %rdx, %rdx
	movq	%rdx, 0x40(%rsp)
1:	leaq	0x50(%rsp), %rdi
	movl	$0x10, %edx
	call_getpid
2:	movl	0x18(%rsp), %edx
	addq	$0x98, %rsp
	.cfi_remember_state
	.cfi_def_cfa_offset 8
	ret
	.cfi_restore_state
9:	movq	$-1, %rax
	jmp	2b
	.cfi_endproc
.endm

.macro loop_before
	begin
	movl	$4, %ecx
	xorl	%edx, %edx
1:	movl	%ecx, %eax
	imull	$0x9e3779b1, %eax, %eax
	xorl	%eax, %edx
	roll	$7, %edx
	addl	$0x1234567, %edx
	subl	$1, %ecx
	jnz	1b
	andl	$0xff, %edx
	cmpl	$0x80, %edx
	jbe	2f
	orl	$0x100, %edx
2:	movl	%edx, %edi
	call_getpid
	ret
9:	negl	%eax
	cltq
	ret
	.cfi_endproc
.endm

	.rept	MANY_FUNCTIONS / 4
	bare
	frame
	buffer
	loop_before
	.endr
	.p2align 12
	.section .note.GNU-stack, "", @progbits
