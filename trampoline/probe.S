/* probe.S - call one landing point of the sled and see whether it leads out again (zero.c) */
	.text
# zl_probe_call - bool zl_probe_call(uintptr_t landing)
# in:   rdi address to call; the sled leads to zl_probe_landed
# out:  rax 1 if it arrived there, 0 if the handler of zero.c sent it to zl_probe_failed
	.globl	zl_probe_call
	.hidden	zl_probe_call
	.type	zl_probe_call, @function
zl_probe_call:
	.cfi_startproc
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	movq	%rsp, probe_rsp(%rip)
	xorl	%ebx, %ebx
	movq	%rdi, %rax
	call	*%rax
1:	movl	%ebx, %eax
	popq	%rbx
	.cfi_adjust_cfa_offset -8
	ret
	.globl	zl_probe_landed
	.hidden	zl_probe_landed
zl_probe_landed:
	movl	$1, %ebx
	ret
	.globl	zl_probe_failed
	.hidden	zl_probe_failed
zl_probe_failed:
	movq	probe_rsp(%rip), %rsp
	jmp	1b
	.cfi_endproc
	.size	zl_probe_call, . - zl_probe_call

	.bss
	.p2align 3
probe_rsp:
	.skip	8

	.section .note.GNU-stack, "", @progbits
