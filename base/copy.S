/* copy.S - copies from and to the program's memory, which may fault
 *
 * The SIGSEGV and SIGBUS handler sends a fault at zl_*_insn to zl_*_fault (lazy/fault.c).
 */
#include "base/slot.h"

	.text
# zl_copy - copy until done or until a byte can't be read or written
# in:   rdi to, rsi from, rdx bytes (C calling convention)
# out:  rax bytes not copied
# stack: nothing pushed
	.globl	zl_copy
	.hidden	zl_copy
	.type	zl_copy, @function
zl_copy:
	.cfi_startproc
	movq	%rdx, %rcx
	.globl	zl_copy_insn
	.hidden	zl_copy_insn
zl_copy_insn:
	rep movsb
	.globl	zl_copy_fault
	.hidden	zl_copy_fault
zl_copy_fault:
	movq	%rcx, %rax
	ret
	.cfi_endproc
	.size	zl_copy, . - zl_copy

# zl_swap16, zl_swap8 - one compare-and-swap
# in:   rdi address, esi expected, edx wanted (C calling convention)
# out:  eax 1: it is what was wanted now; 0: it was something else; -1: faulted
.macro swap size register
	.globl	zl_swap\size
	.hidden	zl_swap\size
	.type	zl_swap\size, @function
zl_swap\size:
	.cfi_startproc
	movl	%esi, %eax
	.globl	zl_swap\size\()_insn
	.hidden	zl_swap\size\()_insn
zl_swap\size\()_insn:
	lock cmpxchg \register, (%rdi)
	sete	%al
	movzbl	%al, %eax
	ret
	.globl	zl_swap\size\()_fault
	.hidden	zl_swap\size\()_fault
zl_swap\size\()_fault:
	movl	$-1, %eax
	ret
	.cfi_endproc
	.size	zl_swap\size, . - zl_swap\size
.endm

swap 16 %dx
swap 8 %dl

# zl_read_self - what gs:BLOCK_SELF holds; the thread's block, unless the program has changed gs
# out:  rax, 0 if it faulted
	.globl	zl_read_self
	.hidden	zl_read_self
	.type	zl_read_self, @function
zl_read_self:
	.cfi_startproc
	.globl	zl_read_self_insn
	.hidden	zl_read_self_insn
zl_read_self_insn:
	movq	%gs:BLOCK_SELF, %rax
	ret
	.globl	zl_read_self_fault
	.hidden	zl_read_self_fault
zl_read_self_fault:
	xorl	%eax, %eax
	ret
	.cfi_endproc
	.size	zl_read_self, . - zl_read_self

# zl_read_ticks - the time-stamp counter
# out:  rax, 0 if it faulted
	.globl	zl_read_ticks
	.hidden	zl_read_ticks
	.type	zl_read_ticks, @function
zl_read_ticks:
	.cfi_startproc
	.globl	zl_read_ticks_insn
	.hidden	zl_read_ticks_insn
zl_read_ticks_insn:
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
	ret
	.globl	zl_read_ticks_fault
	.hidden	zl_read_ticks_fault
zl_read_ticks_fault:
	xorl	%eax, %eax
	ret
	.cfi_endproc
	.size	zl_read_ticks, . - zl_read_ticks

	.section .note.GNU-stack, "", @progbits
