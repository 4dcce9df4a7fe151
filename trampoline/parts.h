/* parts.h - what parts.S and preserve.S share */
#ifndef ZL_TRAMPOLINE_PARTS_H
#define ZL_TRAMPOLINE_PARTS_H

# What is in use, of what is saved at all; rax. Clobbers rcx rdx.
.macro ask_in_use
	movl	$1, %ecx
	xgetbv
	shlq	$32, %rdx
	orq	%rdx, %rax
	andq	zl_vector_mask(%rip), %rax
.endm

#endif
