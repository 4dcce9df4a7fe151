/* copy.S - copies from and to the program's memory, which may fault
 *
 * The SIGSEGV and SIGBUS handler sends a fault inside zl_copy to zl_copy_fault (lazy/fault.c).
 */
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

	.section .note.GNU-stack, "", @progbits
