/* entry.S - from the site to the gate or to C code, and back
 *
 *     zl_entry_call   a rewritten site, through the sled: return address pushed on the program's stack
 *     zl_entry_stub   a rewritten site, through its stub (lazy/stubs.h): r11 is the continuation, its own value is in
 *                     the block; the program's stack is untouched
 *     zl_entry_jump   a trap: the handler put the continuation in the block, and the rest is as by a stub. Mostly
 *                     by zl_entry_trapped, which skips what the handler has saved already
 *     zl_entry_i386   the same for int $0x80
 *
 * BLOCK_TOP says where the frame of the call lies: on the thread's hook stack, or on the nested stack when hook code
 * makes the call. Each entry saves what it needs straight into it; pushing the flags there makes it the stack. Then
 * zl_entry_call checks that a site called, and the frame's filter tells whether anybody wants the number. If not, the
 * call is made right here ("plain"), on the program's stack, with the program's registers. If so, the rest of the
 * frame is filled, and the hook or zl_dispatch() decides.
 *
 * A signal may come at every instruction. threads/region.c turns each pc in here into the program's state before
 * or after the call, so: nothing is clobbered before the label zl_*_r11, where the block has r11; r11 alone before
 * zl_*_saved, where the frame has rax and rcx; rsp not before zl_*_moved, where the frame has it; the flags not before
 * zl_*_flags, where the frame has them; rdx within zl_call_look, where the frame has it, and after zl_hooked only; and
 * from zl_*_after and zl_exit_begin on the result is all that is new.
 * Change the two files together.
 *
 * All of it lies in section zl_gate: its syscall instructions pass Syscall User Dispatch.
 */
#include "base/sites.h"
#include "base/slot.h"
#include "trampoline/cfi.h"
#include "trampoline/frame.h"
#include <asm/unistd.h>

#define FILTER_OTHERS 512
#define MOV_EAX	0xb8

.macro global name
	.globl	\name
	.hidden	\name
\name:
.endm

	.section zl_gate, "ax", @progbits

# Save what the entry itself needs, and move to the frame. rsp_after: of the program, behind its call. Leaves it in rcx;
# clobbers r11.
.macro begin_frame kind rsp_after
	movq	%r11, %gs:BLOCK_R11
	save_registers \kind \rsp_after
.endm

# The same when BLOCK_R11 has r11.
.macro save_registers kind rsp_after
	global	zl_\kind\()_r11
	movq	%gs:BLOCK_TOP, %r11
	movq	%rax, FRAME_RAX(%r11)
	movq	%rcx, FRAME_RCX(%r11)
	global	zl_\kind\()_saved
	leaq	\rsp_after, %rcx
	movq	%rcx, FRAME_RSP(%r11)
	leaq	FRAME_FLAGS+8(%r11), %rsp
	CFI_CFA_BEFORE_FRAME
	global	zl_\kind\()_moved
	pushfq
	CFI_CFA_IN_FRAME
	global	zl_\kind\()_flags
.endm

# The program's status flags, from rflags in \flags, whose lowest byte is \low. Clobbers rax. addl makes OF of its bit,
# sahf the others.
.macro restore_flags flags low
	movl	\flags, %eax
	andl	$FLAGS_OVERFLOW, %eax
	addl	$0x80000000 - FLAGS_OVERFLOW, %eax
	movb	\low, %ah
	sahf
.endm

# Does anybody want number eax? Jumps to \wanted with the filter's bits in r11d; falls through if not.
.macro ask_filter wanted
	movl	$FILTER_OTHERS, %r11d
	cmpl	%r11d, %eax
	cmovbl	%eax, %r11d
	addq	FRAME_FILTER(%rsp), %r11
	movzbl	(%r11), %r11d
	testl	%r11d, %r11d
	jne	\wanted
.endm

# Back to the program's stack, flags and rax; the flags stay through what follows. Clobbers rcx.
.macro end_frame
	movl	FRAME_FLAGS(%rsp), %ecx
	restore_flags %ecx %cl
	movq	FRAME_RAX(%rsp), %rax
	movq	FRAME_RSP(%rsp), %rsp
	.cfi_def_cfa rsp, 0
.endm

# zl_entry_trapped - void zl_entry_trapped(struct zl_frame *frame, const struct sigcontext *context)
# in:   rdi frame, BLOCK_TOP, with rax, rcx, rsp and flags; gs:BLOCK_R11, gs:BLOCK_RET; rsi context
# out:  at zl_jump_flags, with all else as the context has it, extended state included
# stack: the signal stack until nothing is read from it any more
	.p2align 6
	.type	zl_entry_trapped, @function
	.cfi_startproc
	.cfi_undefined rip
	global	zl_entry_trapped
	movq	CONTEXT_STATE(%rsi), %rcx
	movl	STATE_FEATURES(%rcx), %eax
	movl	STATE_FEATURES+4(%rcx), %edx
	xrstor64 (%rcx)
	movq	%rdi, %rcx
	movq	CONTEXT_RDX(%rsi), %rdx
	movq	CONTEXT_R8(%rsi), %r8
	movq	CONTEXT_R9(%rsi), %r9
	movq	CONTEXT_R10(%rsi), %r10
	movq	CONTEXT_R12(%rsi), %r12
	movq	CONTEXT_R13(%rsi), %r13
	movq	CONTEXT_R14(%rsi), %r14
	movq	CONTEXT_R15(%rsi), %r15
	movq	CONTEXT_RDI(%rsi), %rdi
	movq	CONTEXT_RBP(%rsi), %rbp
	movq	CONTEXT_RBX(%rsi), %rbx
	movq	CONTEXT_RSI(%rsi), %rsi
	movq	%rcx, %rsp
	movq	FRAME_RAX(%rsp), %rax
	jmp	zl_jump_flags
	.cfi_endproc
	.size	zl_entry_trapped, . - zl_entry_trapped

# zl_entry_jump - reached from the SIGSYS handler; zl_entry_stub - reached from a stub
# in:   rax number, rdi rsi rdx r10 r8 r9 arguments; gs:BLOCK_RET continuation, or r11 that and gs:BLOCK_R11 r11
# out:  rax result, rcx continuation, r11 rflags; all else as on entry
# stack: as zl_entry_call
	.p2align 6
	.type	zl_entry_jump, @function
	.cfi_startproc
	.cfi_def_cfa rsp, 0
	.cfi_undefined rip
	global	zl_entry_jump
	movq	%r11, %gs:BLOCK_R11
	jmp	zl_jump_r11
	.cfi_register rip, r11
	global	zl_entry_stub
	movq	%r11, %gs:BLOCK_RET
	.cfi_undefined rip
	save_registers jump (%rsp)
	cmpq	%rsp, FRAME_SELF(%rsp)
	jne	zl_jump_lost
	movq	%gs:BLOCK_RET, %rcx
	movq	%rcx, FRAME_RIP(%rsp)
	.cfi_remember_state
	CFI_RIP_IN_FRAME
	ask_filter zl_hooked_jump
	cmpl	$0, %gs:BLOCK_NOTED		# by the handler that we come from: the call must not sleep
	jne	zl_noted_jump
	movq	%rcx, %r11			# for unwinders
	end_frame
	.cfi_register rip, r11
	syscall
	global	zl_plain_jump_after
	.cfi_undefined rip
	movq	%gs:BLOCK_RET, %rcx
	.cfi_register rip, rcx
	movq	%rax, %gs:BLOCK_LEFT_WITH
	movq	%rcx, %gs:BLOCK_LEFT_TO
	jmp	*%rcx
	global	zl_plain_jump_end
zl_jump_lost:				# as zl_entry_lost
	.cfi_restore_state
	.cfi_remember_state
	movq	%rcx, %rsp
	.cfi_def_cfa rsp, 0
	movq	%gs:BLOCK_RET, %rdi
	jmp	zl_entry_block_lost
zl_noted_jump:
	.cfi_restore_state
	CFI_RIP_IN_FRAME
	movl	$BITS_SPECIAL, %r11d		# zl_dispatch: the call is made by a gate, which looks again
zl_hooked_jump:
	movq	$KIND_JUMP, FRAME_KIND(%rsp)	# and no FRAME_STATE, FRAME_LEVEL, FRAME_VECTORS
	movq	$0, FRAME_ABI(%rsp)		# and no FRAME_CALL_FLAGS
	jmp	zl_hooked
	.cfi_endproc
	.size	zl_entry_jump, . - zl_entry_jump

# zl_entry_i386 - int $0x80, from the SIGSYS handler; always looked at by C code
# in:   eax number, ebx ecx edx esi edi ebp arguments, gs:BLOCK_RET continuation
# out:  rax result; all else as on entry
	.type	zl_entry_i386, @function
	.cfi_startproc
	.cfi_def_cfa rsp, 0
	.cfi_undefined rip
	global	zl_entry_i386
	begin_frame i386 (%rsp)
	movq	%gs:BLOCK_R11, %rcx
	movq	%rcx, FRAME_R11(%rsp)
	movq	%gs:BLOCK_RET, %rcx
	movq	%rcx, FRAME_RIP(%rsp)
	CFI_RIP_IN_FRAME
	movq	$KIND_I386, FRAME_KIND(%rsp)
	movq	$1, FRAME_ABI(%rsp)		# and no FRAME_CALL_FLAGS
	movl	$BITS_I386, %r11d
	jmp	zl_hooked
	.cfi_endproc
	.size	zl_entry_i386, . - zl_entry_i386

# zl_entry_call - reached by `call *%rax` through page zero
# in:   rax number, rdi rsi rdx r10 r8 r9 arguments, 0(rsp) return address
# out:  rax result, rcx return address, r11 rflags; all else as on entry
# stack: the program's is only read; the frame goes to the thread's own
	.p2align 6
	.type	zl_entry_call, @function
	.cfi_startproc
	global	zl_entry_call
	begin_frame call 8(%rsp)
	cmpq	%rsp, FRAME_SELF(%rsp)		# a program that changed gs is found out here
	jne	zl_entry_lost
	global	zl_call_stack
	movq	-8(%rcx), %rcx
	movq	%rcx, FRAME_RIP(%rsp)
	leaq	zl_sites_seen(%rip), %rax
	movl	%ecx, %r11d
	andl	$SITES_SEEN - 1, %r11d
	cmpq	%rcx, (%rax,%r11,8)
	jne	look_up
	global	zl_call_found
	.cfi_remember_state
	movl	FRAME_RAX(%rsp), %eax
	ask_filter zl_hooked_call
	end_frame
	syscall
	global	zl_plain_call_after
	movl	zl_returns_by_jump(%rip), %ecx
	jrcxz	1f
	movq	%gs:BLOCK_TOP, %rcx
	movq	FRAME_RIP(%rcx), %rcx
	jmp	*%rcx
1:	movq	%r11, %gs:BLOCK_R11
	movq	%gs:BLOCK_TOP, %r11
	movq	FRAME_RIP(%r11), %r11
	notq	%r11
	global	zl_plain_call_slot
	movq	-8(%rsp), %rcx
	leaq	1(%rcx,%r11), %rcx		# slot - return address, without touching a flag
	notq	%r11
	jrcxz	2f
	movq	%r11, %rcx			# the kernel, or another thread, wrote into the slot
	movq	%gs:BLOCK_R11, %r11
	jmp	*%rcx
2:	movq	%r11, %rcx
	movq	%gs:BLOCK_R11, %r11
	leaq	-8(%rsp), %rsp
	.cfi_def_cfa_offset 8
	ret
	global	zl_plain_call_end

# The bitmap (base/sites.h). Of an open site the code is looked at: `mov $number,%eax` before the call.
# in: rcx return address; clobbers rax r11
look_up:
	.cfi_restore_state
	.cfi_remember_state
	movq	%rdx, FRAME_RDX(%rsp)
	global	zl_call_look
	leaq	zl_sites(%rip), %r11
	movq	%rcx, %rdx
	shrq	$12, %rdx
	movzwl	%dx, %eax
	movq	(%r11,%rax,8), %r11
1:	testq	%r11, %r11
	jz	zl_entry_null
	cmpq	%rdx, LEAF_PAGE(%r11)
	jne	2f
	movl	%ecx, %eax
	andl	$0xfff, %eax
	shrl	$6, %eax
	movq	LEAF_PATCHED(%r11,%rax,8), %rax
	btq	%rcx, %rax			# modulo 64: the bit of the address in its word
	jc	zl_call_claimed
	movl	%ecx, %eax
	andl	$0xfff, %eax
	shrl	$6, %eax
	movq	LEAF_OPEN(%r11,%rax,8), %rax
	btq	%rcx, %rax
	jnc	zl_entry_null
	movl	FRAME_RAX(%rsp), %eax
	global	zl_call_code			# a fault from here on goes to zl_call_claimed (lazy/fault.c)
	cmpb	$MOV_EAX, -7(%rcx)
	jne	zl_entry_null
	cmpl	%eax, -6(%rcx)
	global	zl_call_code_end
	jne	zl_entry_null
	global	zl_call_claimed
	movq	FRAME_RDX(%rsp), %rdx
	jmp	zl_call_found
2:	movq	LEAF_NEXT(%r11), %r11
	jmp	1b

# Not called from a site: a call of the program through NULL, or near it. Give everything back and trap.
zl_entry_null:
	movq	FRAME_RDX(%rsp), %rdx
	movq	FRAME_RCX(%rsp), %r11
	end_frame
	leaq	-8(%rsp), %rsp
	.cfi_def_cfa_offset 8
	movq	%r11, %rcx
	movq	%gs:BLOCK_R11, %r11
	jmp	zl_null_trap
	global	zl_call_look_end

# FRAME_RSP is what it was given, wherever gs points.
zl_entry_lost:
	.cfi_restore_state
	movq	%rcx, %rsp
	.cfi_def_cfa rsp, 0
	movq	-8(%rsp), %rdi
	jmp	zl_entry_block_lost
zl_hooked_call:
	CFI_CFA_IN_FRAME
	CFI_RIP_IN_FRAME
	movq	$KIND_CALL, FRAME_KIND(%rsp)	# as above
	movq	$0, FRAME_ABI(%rsp)		# and no FRAME_CALL_FLAGS
	# falls through, to zl_hooked

	.cfi_endproc
	.size	zl_entry_call, . - zl_entry_call

# zl_hooked - fill the frame, call the hook or zl_dispatch(frame, bits), give the result to the program
# in:   rsp frame as begin_frame left it, with rip, kind, state, abi; rcx rip; eax number; r11d filter bits; else the
#       program's registers
# out:  does not return here: to the program by zl_exit_frame
# stack: rsp is 16-aligned at the calls
	.type	zl_hooked, @function
	.cfi_startproc
	CFI_CFA_IN_FRAME
	CFI_RIP_IN_FRAME
	global	zl_hooked
	movq	%rdx, FRAME_RDX(%rsp)
	movq	%rdi, FRAME_RDI(%rsp)
	movq	%rsi, FRAME_RSI(%rsp)
	movq	%r10, FRAME_R10(%rsp)
	movq	%r8, FRAME_R8(%rsp)
	movq	%r9, FRAME_R9(%rsp)
	movq	%rbx, FRAME_RBX(%rsp)
	movq	%rbp, FRAME_RBP(%rsp)
	movq	%r12, FRAME_R12(%rsp)
	movq	%r13, FRAME_R13(%rsp)
	movq	%r14, FRAME_R14(%rsp)
	movq	%r15, FRAME_R15(%rsp)
	movq	%rdi, FRAME_ARG0(%rsp)
	movq	%rsi, FRAME_ARG1(%rsp)
	movl	%r11d, %esi			# zl_dispatch(frame, bits)
	movq	%rdx, FRAME_ARG2(%rsp)
	movq	%r10, FRAME_ARG3(%rsp)
	movq	%r8, FRAME_ARG4(%rsp)
	movq	%r9, FRAME_ARG5(%rsp)
	cltq
	movq	%rax, FRAME_NUMBER(%rsp)
	subq	$2, %rcx
	movq	%rcx, FRAME_SITE(%rsp)
	testl	$FLAGS_UNSUITABLE, FRAME_FLAGS(%rsp)
	jnz	suit_flags
flags_suit:
	movq	%rsp, %rdi
	testl	$~(BITS_WANTED | BITS_FIRST), %esi
	jnz	look_closer
	cmpb	$0, %gs:BLOCK_HAS_AGAIN
	jne	dispatch
	# A hook of general registers: no need of zl_dispatch. The call is the program's own, for nobody wants nested
	# ones, so this is the first frame on the hook stack, and BLOCK_TOP is to be rsp again.
direct:
	leal	LEVEL_STEP-BITS_WANTED(%rsi), %eax
	movw	%ax, FRAME_LEVEL(%rsp)
	leaq	SLOT_NESTED_TOP-SLOT_HOOK_TOP(%rsp), %rax
	movq	%rax, %gs:BLOCK_TOP
	leaq	zl_direct-2*BITS_WANTED(%rip), %rdx
	leaq	(%rdx,%rsi,2), %rax		# bits: LEVEL_STEP, 8, for each of the 16 bytes of an entry
	movq	8(%rax), %rsi
	leaq	FRAME_CALL(%rsp), %rdi
	call	*(%rax)
	global	zl_hook_returned
	cmpq	$2, %rax
	jo	interrupted			# ZLAZY_INTERRUPTED, or the one number below it
not_interrupted:
	movq	%rsp, %gs:BLOCK_TOP
	# falls through

# zl_exit_frame - give the program its registers, and rax
# in:   rsp frame, rax result; rbx rbp r12-r15 the program's
# stack: the program's slot is read when the call came by `call *%rax`
	global	zl_exit_frame
	movq	%rax, FRAME_RESULT(%rsp)
	global	zl_exit_begin
	cmpl	$0, %gs:BLOCK_NOTED
	jne	exit_noted
exit_restore:
	movl	FRAME_FLAGS(%rsp), %edx
	testl	$FLAGS_UNSUITABLE, %edx
	jnz	exit_flags
exit_registers:
	movq	FRAME_RDI(%rsp), %rdi
	movq	FRAME_RSI(%rsp), %rsi
	movq	FRAME_R10(%rsp), %r10
	movq	FRAME_R8(%rsp), %r8
	movq	FRAME_R9(%rsp), %r9
	movl	%edx, %r11d
	movq	FRAME_RIP(%rsp), %rcx
	movzbl	FRAME_KIND(%rsp), %eax
	cmpl	$KIND_CALL, %eax
	jne	1f
	movq	FRAME_RSP(%rsp), %rax
	global	zl_exit_slot
	cmpq	%rcx, -8(%rax)
	jne	2f
	restore_flags %edx %dl
	movq	FRAME_RDX(%rsp), %rdx
	movq	FRAME_RESULT(%rsp), %rax
	movq	FRAME_RSP(%rsp), %rsp
	.cfi_remember_state
	.cfi_def_cfa rsp, 0
	.cfi_offset rip, -8
	leaq	-8(%rsp), %rsp
	.cfi_def_cfa_offset 8
	ret
	.cfi_restore_state
1:	cmpl	$KIND_I386, %eax
	je	exit_i386
2:	restore_flags %edx %dl
	movq	FRAME_RDX(%rsp), %rdx
	movq	FRAME_RESULT(%rsp), %rax
	movq	%rax, %gs:BLOCK_LEFT_WITH
	movq	%rcx, %gs:BLOCK_LEFT_TO
	movq	FRAME_RSP(%rsp), %rsp
	.cfi_remember_state
	.cfi_def_cfa rsp, 0
	.cfi_register rip, rcx
	jmp	*%rcx
	.cfi_restore_state
exit_i386:
	movq	%rcx, %gs:BLOCK_TARGET
	restore_flags %edx %dl
	movq	FRAME_RDX(%rsp), %rdx
	movq	FRAME_RCX(%rsp), %rcx
	movq	FRAME_R11(%rsp), %r11
	movq	FRAME_RESULT(%rsp), %rax
	movq	FRAME_RSP(%rsp), %rsp
	jmp	*%gs:BLOCK_TARGET
exit_flags:					# the status flags are restored below
	pushq	%rdx
	.cfi_remember_state
	CFI_FRAME_PUSHED
	popfq
	.cfi_restore_state
	jmp	exit_registers
	global	zl_exit_end

# Out of the way, and outside the exit's labels: here there is no result yet.
# A call with an owner that a hook wants is as any other: next() finds the owner. But a thread with another filter than
# zl_filter has every call looked at.
look_closer:
	testb	$BITS_WANTED, %sil
	jz	dispatch
	leaq	zl_filter(%rip), %rax
	cmpq	%rax, FRAME_FILTER(%rsp)
	jne	dispatch
	cmpb	$0, %gs:BLOCK_HAS_AGAIN
	jne	dispatch
	testb	$BITS_PRESERVE, %sil
	jnz	zl_preserved
	andl	$~BITS_SPECIAL, %esi
	jmp	direct
dispatch:
	global	zl_hook_by_dispatch
	call	zl_dispatch
	jmp	zl_exit_frame
interrupted:
	cmpq	$1, %rax
	jo	not_interrupted
	movq	%rsp, %rdi
	call	zl_hooks_interrupted
	jmp	not_interrupted
suit_flags:
	movl	FRAME_FLAGS(%rsp), %eax
	andl	$~FLAGS_UNSUITABLE, %eax
	pushq	%rax
	.cfi_remember_state
	CFI_FRAME_PUSHED
	popfq
	.cfi_restore_state
	jmp	flags_suit
exit_noted:
	movq	%rsp, %rdi
	call	zl_prepare_delivery
	jmp	exit_restore
	.cfi_endproc
	.size	zl_hooked, . - zl_hooked

	.section .note.GNU-stack, "", @progbits
