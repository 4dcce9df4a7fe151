/* preserve.S - from the entry to a hook that may use every register, and back to the exit
 *
 * What zl_dispatch() and zl_with_vectors() do for any hook, for the call that needs nothing else: its outermost hook
 * preserves everything, and the thread has a control block for it (threads/control.h). Once the hook has been in the
 * kernel no return of ours is left to be mispredicted (returns.c).
 */
#include "base/slot.h"
#include "trampoline/cfi.h"
#include "trampoline/frame.h"
#include "trampoline/parts.h"

	.text
# zl_preserved - reached from zl_hooked, instead of zl_dispatch
# in:   rsp and rdi frame, esi filter bits; all else the program's, or in the frame
# out:  at zl_hook_returned with rax what the hook returned, rsp frame; rbx rbp r12-r15 the program's. Or at
#       zl_hook_by_dispatch, with nothing changed
# stack: zl_vector_size bytes, 64-aligned, below the frame
	.p2align 4
	.globl	zl_preserved
	.hidden	zl_preserved
	.type	zl_preserved, @function
	.cfi_startproc
	CFI_CFA_IN_FRAME
	CFI_RIP_IN_FRAME
zl_preserved:
	movl	%esi, %edx
	andl	$BITS_FIRST, %edx
	leaq	zl_direct_preserving(%rip), %rax
	leaq	(%rax,%rdx,2), %rax		# LEVEL_STEP, 8, for each of the 16 bytes of an entry
	cmpq	$0, (%rax)
	je	zl_hook_by_dispatch
	cmpb	$0, %gs:BLOCK_HAS_CONTROL
	je	zl_hook_by_dispatch
	addl	$LEVEL_STEP + LEVEL_ON_CONTROL, %edx
	movw	%dx, FRAME_LEVEL(%rsp)
	leaq	SLOT_NESTED_TOP-SLOT_HOOK_TOP(%rsp), %rdx
	movq	%rdx, %gs:BLOCK_TOP
	movq	%rsp, %rbx
	CFI_CFA_IN_FRAME_OF_RBX
	CFI_RIP_IN_FRAME_OF_RBX
	CFI_RBX_R12_IN_FRAME_OF_RBX
	movq	%rax, %r12
	movl	zl_vector_size(%rip), %eax
	subq	%rax, %rsp
	andq	$-64, %rsp
	movq	%rsp, %rdi
	rdfsbase %rax
	movq	%rax, %gs:BLOCK_PROGRAM_FS
	movq	%gs:BLOCK_CONTROL, %rsi
	cmpl	$VECTOR_PARTS, zl_vector_kind(%rip)
	jne	.Lsave_whole
	ask_in_use
	wrfsbase %rsi
	call	zl_store_parts
.Lsaved:
	movl	%ebx, %eax
	subl	%esp, %eax
	movl	%eax, FRAME_VECTORS(%rbx)
	leaq	FRAME_CALL(%rbx), %rdi
	movq	8(%r12), %rsi
	call	*(%r12)
	.globl	zl_preserved_returned
	.hidden	zl_preserved_returned
zl_preserved_returned:
	movq	%rax, %r12
	movq	%rsp, %rdi
	movl	$0, FRAME_VECTORS(%rbx)
	cmpl	$VECTOR_PARTS, zl_vector_kind(%rip)
	jne	.Lrestore_whole
	call	zl_load_parts
	testb	$LEVEL_ON_CONTROL, FRAME_LEVEL(%rbx)
	jz	1f				# next() has been the hook's last word
	movq	%gs:BLOCK_PROGRAM_FS, %rax
	wrfsbase %rax
1:	call	zl_settle_parts
.Lrestored:
	movq	%r12, %rax
	movq	FRAME_R12(%rbx), %r12
	movq	%rbx, %rsp
	CFI_CFA_IN_FRAME
	CFI_RIP_IN_FRAME
	.cfi_same_value r12
	movq	FRAME_RBX(%rsp), %rbx
	.cfi_same_value rbx
	jmp	zl_hook_returned
.Lsave_whole:
	CFI_CFA_IN_FRAME_OF_RBX
	CFI_RIP_IN_FRAME_OF_RBX
	CFI_RBX_R12_IN_FRAME_OF_RBX
	call	zl_save_vectors
	movq	%gs:BLOCK_CONTROL, %rsi
	wrfsbase %rsi
	jmp	.Lsaved
.Lrestore_whole:
	testb	$LEVEL_ON_CONTROL, FRAME_LEVEL(%rbx)
	jz	1f
	movq	%gs:BLOCK_PROGRAM_FS, %rax
	wrfsbase %rax
1:	call	zl_restore_vectors
	jmp	.Lrestored
	.cfi_endproc
	.size	zl_preserved, . - zl_preserved

	.section .note.GNU-stack, "", @progbits
