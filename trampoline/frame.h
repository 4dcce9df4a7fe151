/* frame.h - one call that C code looks at: the call as a hook sees it, and the program's registers
 *
 * Built by entry.S at the top of the hook (or nested) stack. call.arg[] may be changed by hooks; the copies in
 * rdi..r9 are what the program gets back.
 */
#ifndef ZL_TRAMPOLINE_FRAME_H
#define ZL_TRAMPOLINE_FRAME_H

#define FRAME_NUMBER	0
#define FRAME_ARG0	8
#define FRAME_ARG1	16
#define FRAME_ARG2	24
#define FRAME_ARG3	32
#define FRAME_ARG4	40
#define FRAME_ARG5	48
#define FRAME_SITE	56
#define FRAME_ABI	64
#define FRAME_CALL_FLAGS 68
#define FRAME_THREAD	72
#define FRAME_RDI	80
#define FRAME_RSI	88
#define FRAME_RDX	96
#define FRAME_R10	104
#define FRAME_R8	112
#define FRAME_R9	120
#define FRAME_RAX	128
#define FRAME_RBX	136
#define FRAME_RBP	144
#define FRAME_R12	152
#define FRAME_R13	160
#define FRAME_R14	168
#define FRAME_R15	176
#define FRAME_RCX	184
#define FRAME_R11	192
#define FRAME_RIP	200
#define FRAME_RSP	208
#define FRAME_FLAGS	216
#define FRAME_RESULT	224
#define FRAME_KIND	232
#define FRAME_STATE	236
#define FRAME_VECTORS	240
#define FRAME_LEVEL	248
#define FRAME_LAHF	252
#define FRAME_SIZE	256

/* How a call came, and so how it returns. */
#define KIND_CALL	0	/* by `call *%rax`: returns by ret if the slot still holds the address */
#define KIND_JUMP	1	/* by a trap: continuation in the block, returns by jmp */
#define KIND_I386	2	/* int $0x80: returns by jmp, rcx and r11 kept */

/* Bits of the filter that entry.S knows (enum in entry.h). */
#define BITS_WANTED	1
#define BITS_SPECIAL	4
#define BITS_FIRST	0x78
#define BITS_I386	0x80

/* The status flags of rflags, which lahf and seto see. */
#define FLAGS_STATUS	0x8d5
#define FLAGS_DIRECTION	0x400
/* What C code must not run with: the direction flag, the alignment check. */
#define FLAGS_UNSUITABLE 0x40400

/* frame->level counts hooks in these units, those of BITS_FIRST. */
#define LEVEL_STEP	8

#ifndef __ASSEMBLER__
#include "base/block.h"
#include "zlazy/zlazy.h"

enum zl_frame_state {
	ZL_FRAME_DONE,          /* result is the program's */
	ZL_FRAME_AGAIN,         /* a signal is due first: the program makes the call again */
};

struct zl_frame {
	struct zlazy_call call;
	uint64_t rdi, rsi, rdx, r10, r8, r9;
	uint64_t rax;           /* as the program set it */
	uint64_t rbx, rbp, r12, r13, r14, r15;
	uint64_t rcx, r11;      /* KIND_I386 only: `syscall` gives back neither */
	uint64_t rip;           /* after the site */
	uint64_t rsp;           /* without the pushed return address */
	uint64_t flags;         /* rflags, but for the status flags, which are in lahf: see zl_frame_flags() */
	long result;
	uint32_t kind;          /* KIND_ */
	uint32_t state;         /* enum zl_frame_state */
	void *vectors;          /* saved extended state, or NULL if none was saved (trampoline/vector.S) */
	uint32_t level;         /* LEVEL_STEP for each hook outwards of the one that is to run next */
	uint32_t lahf;          /* SF ZF AF PF CF in bits 8..15 as lahf stores them, OF in bit 0 */
};

/* rflags as the program had them. */
static inline uint64_t zl_frame_flags(const struct zl_frame *frame)
{
	return (frame->flags & ~(uint64_t)FLAGS_STATUS) | (frame->lahf >> 8 & 0xff) | (frame->lahf & 1) << 11;
}

static_assert(offsetof(struct zl_frame, call.number) == FRAME_NUMBER, "frame.h");
static_assert(offsetof(struct zl_frame, call.arg) == FRAME_ARG0, "frame.h");
static_assert(offsetof(struct zl_frame, call.site) == FRAME_SITE, "frame.h");
static_assert(offsetof(struct zl_frame, call.abi) == FRAME_ABI, "frame.h");
static_assert(offsetof(struct zl_frame, call.flags) == FRAME_CALL_FLAGS, "frame.h");
static_assert(offsetof(struct zl_frame, call.thread) == FRAME_THREAD, "frame.h");
static_assert(offsetof(struct zl_frame, rdi) == FRAME_RDI, "frame.h");
static_assert(offsetof(struct zl_frame, rdx) == FRAME_RDX, "frame.h");
static_assert(offsetof(struct zl_frame, r9) == FRAME_R9, "frame.h");
static_assert(offsetof(struct zl_frame, rax) == FRAME_RAX, "frame.h");
static_assert(offsetof(struct zl_frame, rbx) == FRAME_RBX, "frame.h");
static_assert(offsetof(struct zl_frame, r15) == FRAME_R15, "frame.h");
static_assert(offsetof(struct zl_frame, rcx) == FRAME_RCX, "frame.h");
static_assert(offsetof(struct zl_frame, r11) == FRAME_R11, "frame.h");
static_assert(offsetof(struct zl_frame, rip) == FRAME_RIP, "frame.h");
static_assert(offsetof(struct zl_frame, rsp) == FRAME_RSP, "frame.h");
static_assert(offsetof(struct zl_frame, flags) == FRAME_FLAGS, "frame.h");
static_assert(offsetof(struct zl_frame, result) == FRAME_RESULT, "frame.h");
static_assert(offsetof(struct zl_frame, kind) == FRAME_KIND, "frame.h");
static_assert(offsetof(struct zl_frame, state) == FRAME_STATE, "frame.h");
static_assert(offsetof(struct zl_frame, vectors) == FRAME_VECTORS, "frame.h");
static_assert(offsetof(struct zl_frame, level) == FRAME_LEVEL, "frame.h");
static_assert(offsetof(struct zl_frame, lahf) == FRAME_LAHF, "frame.h");
static_assert(sizeof(struct zl_frame) == FRAME_SIZE, "frame.h");
#endif
#endif
