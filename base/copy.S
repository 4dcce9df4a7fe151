/* copy.S - copies from and to the program's memory, which may fault
 *
 * The SIGSEGV and SIGBUS handler sends a fault inside zl_copy to zl_copy_fault (lazy/fault.c).
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

# zl_store16 - one 16-bit store
# in:   rdi address, esi value (C calling convention)
# out:  eax 1, or 0 if it faulted
	.globl	zl_store16
	.hidden	zl_store16
	.type	zl_store16, @function
zl_store16:
	.cfi_startproc
	movl	$1, %eax
	.globl	zl_store16_insn
	.hidden	zl_store16_insn
zl_store16_insn:
	movw	%si, (%rdi)
	ret
	.globl	zl_store16_fault
	.hidden	zl_store16_fault
zl_store16_fault:
	xorl	%eax, %eax
	ret
	.cfi_endproc
	.size	zl_store16, . - zl_store16

# zl_read_self - what gs:0 holds; the thread's block, unless the program has changed gs
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
