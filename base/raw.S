/* raw.S - the agent's own system calls
 *
 * Section zl_gate holds every `syscall` that the agent executes, and nothing of the program: its bounds are the
 * range that Syscall User Dispatch lets through (lazy/sud.c). The linker defines __start_zl_gate and
 * __stop_zl_gate. The kernel compares the address after the instruction, so the section ends in padding.
 */
#include <asm/unistd.h>

	.section zl_gate, "ax", @progbits

# zl_raw_syscall - one system call of the agent itself
# in:   rdi number, rsi rdx rcx r8 r9 8(%rsp) arguments (C calling convention)
# out:  rax as the kernel gave it
# stack: nothing pushed
	.globl	zl_raw_syscall
	.hidden	zl_raw_syscall
	.type	zl_raw_syscall, @function
zl_raw_syscall:
	.cfi_startproc
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movq	%r8, %r10
	movq	%r9, %r8
	movq	8(%rsp), %r9
	syscall
	.globl	zl_raw_syscall_after
	.hidden	zl_raw_syscall_after
zl_raw_syscall_after:
	ret
	.cfi_endproc
	.size	zl_raw_syscall, . - zl_raw_syscall

# zl_restorer - where the agent's own signal handler returns to (sa_restorer)
# in:   rsp at the ucontext of the kernel's frame
# The nine bytes are those by which unwinders know a signal frame.
	.p2align 4
	nop
	.globl	zl_restorer
	.hidden	zl_restorer
	.type	zl_restorer, @function
zl_restorer:
	movq	$__NR_rt_sigreturn, %rax
	syscall
	.globl	zl_restorer_after
	.hidden	zl_restorer_after
zl_restorer_after:
	.size	zl_restorer, . - zl_restorer
	.skip	16, 0xcc

	.section .note.GNU-stack, "", @progbits
