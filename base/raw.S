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
# The nine bytes are those by which unwinders know a signal frame. gdb asks for the function's name as well, and so
# needs the rules: registers are in the ucontext's gregs, at rsp + 40. They begin at the nop, because the address that
# a debugger looks up is the one before the return address.
.macro in_ucontext_1 column offset		# DW_CFA_expression: rsp + offset below 64
	.cfi_escape 0x10, \column, 2, 0x77, \offset
.endm
.macro in_ucontext_2 column offset		# the same in two bytes of LEB128
	.cfi_escape 0x10, \column, 3, 0x77, (\offset & 0x7f) | 0x80, \offset >> 7
.endm
	.p2align 4
	.cfi_startproc
	.cfi_signal_frame
	.cfi_escape 0x0f, 4, 0x77, 0xa0, 0x01, 0x06	# DW_CFA_def_cfa_expression: *(rsp + 160), the rsp there
	in_ucontext_1 8 40
	in_ucontext_1 9 48
	in_ucontext_1 10 56
	in_ucontext_2 11 64
	in_ucontext_2 12 72
	in_ucontext_2 13 80
	in_ucontext_2 14 88
	in_ucontext_2 15 96
	in_ucontext_2 5 104	# rdi
	in_ucontext_2 4 112	# rsi
	in_ucontext_2 6 120	# rbp
	in_ucontext_2 3 128	# rbx
	in_ucontext_2 1 136	# rdx
	in_ucontext_2 0 144	# rax
	in_ucontext_2 2 152	# rcx
	in_ucontext_2 7 160	# rsp
	in_ucontext_2 16 168	# rip
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
	.cfi_endproc
	.size	zl_restorer, . - zl_restorer
	.skip	16, 0xcc

	.section .note.GNU-stack, "", @progbits
