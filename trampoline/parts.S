/* parts.S - extended state saved and restored by component: what is in use, and no more
 *
 * XGETBV with ecx = 1 (Intel SDM vol. 1, 13.6) tells which components are in use, that is, not in their initial
 * configuration. The vector registers and the opmasks among them are stored by plain moves; MXCSR and XMM always, for
 * neither is told exactly. What is left (x87 and MMX, AMX tiles, what later CPUs add) is rarely in use, and goes
 * through xsavec, alone.
 *
 * Coming back, the components that hook code has brought into use are made initial again, by xrstor from an area that
 * has none of them: so not even XGETBV can tell that there was a hook.
 *
 * Hook code starts as the ABI promises to a function: x87 empty and at its defaults, MXCSR at its default, no tiles,
 * the upper halves of YMM0-15 zero. VEX forms throughout, which cost nothing with dirty upper halves; plain SSE moves
 * where AVX is not in use, so that it stays so.
 */
#include "trampoline/frame.h"
#include "trampoline/parts.h"

#define COMPONENT_X87	0x1
#define COMPONENT_SSE	0x2
#define COMPONENT_AVX	0x4
#define COMPONENT_MASKS	0x20		/* k0-7 */
#define COMPONENT_HIGH	0x40		/* upper halves of ZMM0-15 */
#define COMPONENT_MORE	0x80		/* ZMM16-31 */
#define COMPONENT_TILES	0x60000		/* their configuration, their data */
#define BY_MOVES	(COMPONENT_SSE | COMPONENT_AVX | COMPONENT_MASKS | COMPONENT_HIGH | COMPONENT_MORE)

/* The saved area (PARTS_SIZE and an xsave area): */
#define PARTS_LIVE	0		/* components in it */
#define PARTS_REST	8		/* those of them that are in PARTS_XSAVE */
#define PARTS_MXCSR	16
#define PARTS_MASKS	64
#define PARTS_VECTORS	128		/* 64 bytes for each register, whatever its width */
#define PARTS_XSAVE	PARTS_SIZE

#define XSAVE_HEADER	512
#define HEADER_COMPACT	15		/* the byte of XCOMP_BV whose top bit tells the compacted form */

.macro each_of_16 instruction
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\instruction \n
	.endr
.endm

.macro store_xmm n
	movaps	%xmm\n, PARTS_VECTORS+64*\n(%rdi)
.endm
.macro store_ymm n
	vmovdqa	%ymm\n, PARTS_VECTORS+64*\n(%rdi)
.endm
.macro store_zmm n
	vmovdqa64 %zmm\n, PARTS_VECTORS+64*\n(%rdi)
.endm
.macro load_xmm n
	movaps	PARTS_VECTORS+64*\n(%rdi), %xmm\n
.endm
.macro load_ymm n
	vmovdqa	PARTS_VECTORS+64*\n(%rdi), %ymm\n
.endm
.macro load_zmm n
	vmovdqa64 PARTS_VECTORS+64*\n(%rdi), %zmm\n
.endm

.macro each_zmm_more instruction
	.irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\instruction \n
	.endr
.endm

.macro clear_header
	.irp at, 0, 8, 16, 24, 32, 40, 48, 56
	movq	$0, PARTS_XSAVE+XSAVE_HEADER+\at(%rdi)
	.endr
.endm

	.section .rodata
	.p2align 2
mxcsr_default:
	.long	MXCSR_DEFAULT

	.text
# zl_save_parts - void zl_save_parts(void *area)
# in:   rdi area, 64-aligned
# out:  extended state as a function may expect it; clobbers rax rcx rdx r8
	.p2align 4
	.globl	zl_save_parts
	.hidden	zl_save_parts
	.type	zl_save_parts, @function
zl_save_parts:
	.cfi_startproc
	ask_in_use
	.cfi_endproc
	.size	zl_save_parts, . - zl_save_parts
	# falls through

# zl_store_parts - the same when ask_in_use has been; in: rax what it said
	.globl	zl_store_parts
	.hidden	zl_store_parts
	.type	zl_store_parts, @function
zl_store_parts:
	.cfi_startproc
	orq	$COMPONENT_SSE, %rax
	movq	%rax, PARTS_LIVE(%rdi)
	movq	%rax, %rcx
	andq	$~BY_MOVES, %rcx
	movq	%rcx, PARTS_REST(%rdi)
	jnz	.Lsave_rest
.Lsave_moved:
	vstmxcsr PARTS_MXCSR(%rdi)
	testb	$COMPONENT_AVX | COMPONENT_HIGH, %al
	jnz	.Lsave_wide
	each_of_16 store_xmm
.Lsave_more:
	testb	$COMPONENT_MORE, %al
	jz	1f
	each_zmm_more store_zmm
1:	testb	$COMPONENT_MASKS, %al
	jz	1f
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	kmovq	%k\n, PARTS_MASKS+8*\n(%rdi)
	.endr
1:	cmpl	$MXCSR_DEFAULT, PARTS_MXCSR(%rdi)
	je	1f
	vldmxcsr mxcsr_default(%rip)
1:	ret
.Lsave_wide:
	testb	$COMPONENT_HIGH, %al
	jnz	1f
	each_of_16 store_ymm
	vzeroupper
	jmp	.Lsave_more
1:	each_of_16 store_zmm
	vzeroupper
	jmp	.Lsave_more
.Lsave_rest:
	clear_header
	movq	%rax, %r8
	movl	%ecx, %eax
	movq	%rcx, %rdx
	shrq	$32, %rdx
	xsavec64 PARTS_XSAVE(%rdi)
	testb	$COMPONENT_X87, %cl
	jz	1f
	fninit
1:	testl	$COMPONENT_TILES, %ecx
	jz	1f
	.byte	0xc4, 0xe2, 0x78, 0x49, 0xc0	# tilerelease
1:	movq	%r8, %rax
	jmp	.Lsave_moved
	.cfi_endproc
	.size	zl_store_parts, . - zl_store_parts

# zl_restore_parts - void zl_restore_parts(void *area)
# in:   rdi area, as zl_save_parts left it, or a copy
# out:  extended state as it was; clobbers rax rcx rdx r8
	.p2align 4
	.globl	zl_restore_parts
	.hidden	zl_restore_parts
	.type	zl_restore_parts, @function
zl_restore_parts:
	.cfi_startproc
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	call	zl_load_parts
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	jmp	zl_settle_parts
	.cfi_endproc
	.size	zl_restore_parts, . - zl_restore_parts

# zl_load_parts - the first half: what is restored by moves
# in:   rdi area
# out:  r8 PARTS_LIVE; clobbers nothing else
	.p2align 4
	.globl	zl_load_parts
	.hidden	zl_load_parts
	.type	zl_load_parts, @function
zl_load_parts:
	.cfi_startproc
	movq	PARTS_LIVE(%rdi), %r8
	testb	$COMPONENT_AVX | COMPONENT_HIGH, %r8b
	jnz	.Lload_wide
	each_of_16 load_xmm
.Lload_more:
	testb	$COMPONENT_MORE, %r8b
	jz	1f
	each_zmm_more load_zmm
1:	testb	$COMPONENT_MASKS, %r8b
	jz	1f
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	kmovq	PARTS_MASKS+8*\n(%rdi), %k\n
	.endr
1:	ret
.Lload_wide:
	testb	$COMPONENT_HIGH, %r8b
	jnz	1f
	each_of_16 load_ymm
	jmp	.Lload_more
1:	each_of_16 load_zmm
	jmp	.Lload_more
	.cfi_endproc
	.size	zl_load_parts, . - zl_load_parts

# zl_settle_parts - the second half: the rest, and MXCSR; what hook code has brought into use becomes initial again
# in:   rdi area, r8 PARTS_LIVE
# out:  clobbers rax rcx rdx r8
	.p2align 4
	.globl	zl_settle_parts
	.hidden	zl_settle_parts
	.type	zl_settle_parts, @function
zl_settle_parts:
	.cfi_startproc
	ask_in_use
	notq	%r8
	andq	%r8, %rax
	orq	PARTS_REST(%rdi), %rax
	jnz	2f
1:	vldmxcsr PARTS_MXCSR(%rdi)
	ret
2:	cmpq	$0, PARTS_REST(%rdi)
	jne	3f
	clear_header
	movb	$0x80, PARTS_XSAVE+XSAVE_HEADER+HEADER_COMPACT(%rdi)
3:	movq	%rax, %rdx
	shrq	$32, %rdx
	xrstor64 PARTS_XSAVE(%rdi)
	jmp	1b
	.cfi_endproc
	.size	zl_settle_parts, . - zl_settle_parts

	.section .note.GNU-stack, "", @progbits
