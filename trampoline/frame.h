/* frame.h - one call: as a hook sees it, and the program's registers
 *
 * Filled by entry.S at the top of the hook (or nested) stack. call.arg[] may be changed by hooks; the copies in
 * rdi..r9 are what the program gets back. Of a call that no hook or owner wants, only what entry.S says is valid.
 * self, filter and call.thread are set once for the thread (threads/slots.h) and stay; vectors is 0 between calls.
 *
 * It lies in four cache lines, the first of which has all that a call needs which nobody wants. What is stored one
 * after the other lies in one line: so the CPU writes two at a time.
 */
#ifndef ZL_TRAMPOLINE_FRAME_H
#define ZL_TRAMPOLINE_FRAME_H

#define FRAME_FLAGS	0
#define FRAME_RAX	8
#define FRAME_RCX	16
#define FRAME_R11	24
#define FRAME_RIP	32
#define FRAME_RSP	40
#define FRAME_SELF	48
#define FRAME_FILTER	56
#define FRAME_CALL	64
#define FRAME_NUMBER	64
#define FRAME_ARG0	72
#define FRAME_ARG1	80
#define FRAME_ARG2	88
#define FRAME_ARG3	96
#define FRAME_ARG4	104
#define FRAME_ARG5	112
#define FRAME_SITE	120
#define FRAME_ABI	128
#define FRAME_CALL_FLAGS 132
#define FRAME_KIND	144
#define FRAME_STATE	145
#define FRAME_LEVEL	146
#define FRAME_VECTORS	148
#define FRAME_RESULT	152
#define FRAME_RDX	160
#define FRAME_RDI	168
#define FRAME_RSI	176
#define FRAME_R10	184
#define FRAME_R8	192
#define FRAME_R9	200
#define FRAME_RBX	208
#define FRAME_RBP	216
#define FRAME_R12	224
#define FRAME_R13	232
#define FRAME_R14	240
#define FRAME_R15	248
#define FRAME_SIZE	256

/* How a call came, and so how it returns. */
#define KIND_CALL	0	/* by `call *%rax`: returns by ret if the slot still holds the address */
#define KIND_JUMP	1	/* by a trap, or by a call and through the kernel: returns by jmp */
#define KIND_I386	2	/* int $0x80: returns by jmp, rcx and r11 kept */

/* Bits of the filter that entry.S knows (enum in entry.h). */
#define BITS_WANTED	1
#define BITS_PRESERVE	2
#define BITS_SPECIAL	4
#define BITS_FIRST	0x78
#define BITS_I386	0x80

/* The status flags of rflags. */
#define FLAGS_STATUS	0x8d5
#define FLAGS_OVERFLOW	0x800
#define FLAGS_DIRECTION	0x400
#define FLAGS_RESUME	0x10000
/* What C code must not run with: the direction flag, the alignment check. */
#define FLAGS_UNSUITABLE 0x40400

/* frame->state, and the result, of a call that a signal is due before. */
#define STATE_AGAIN	1
#define RESULT_INTERRUPTED 0x8000000000000001

/* zl_vector_kind: how vector.S saves extended state. */
#define VECTOR_FXSAVE	0
#define VECTOR_XSAVE	1
#define VECTOR_XSAVEC	2
#define VECTOR_PARTS	3	/* by component: parts.S */
/* What that takes beside an xsave area. */
#define PARTS_SIZE	2176
#define MXCSR_DEFAULT	0x1f80

/* frame->level counts hooks in these units, those of BITS_FIRST. */
#define LEVEL_STEP	8
#define LEVEL_ON_CONTROL 1	/* and fs is not the program's, but block->control */

/* The kernel's struct sigcontext, and where its extended state tells its components (_fpx_sw_bytes.xfeatures). */
#define CONTEXT_R8	0
#define CONTEXT_R9	8
#define CONTEXT_R10	16
#define CONTEXT_R12	32
#define CONTEXT_R13	40
#define CONTEXT_R14	48
#define CONTEXT_R15	56
#define CONTEXT_RDI	64
#define CONTEXT_RSI	72
#define CONTEXT_RBP	80
#define CONTEXT_RBX	88
#define CONTEXT_RDX	96
#define CONTEXT_STATE	184
#define STATE_FEATURES	472

#ifndef __ASSEMBLER__
#include "base/block.h"
#include "zlazy/zlazy.h"

enum zl_frame_state {
	ZL_FRAME_DONE,          /* result is the program's */
	ZL_FRAME_AGAIN = STATE_AGAIN, /* a signal is due first: the program makes the call again */
	ZL_FRAME_BEFORE,        /* the same, but nobody has looked at the call yet */
};

struct zl_frame {
	uint64_t flags;         /* rflags */
	uint64_t rax;           /* as the program set it */
	uint64_t rcx;           /* as the program set it: KIND_I386 only gives it back */
	uint64_t r11;           /* KIND_I386 only */
	uint64_t rip;           /* after the site */
	uint64_t rsp;           /* without the pushed return address */
	struct zl_frame *self;  /* what entry.S knows a frame by */
	const uint8_t *filter;  /* which numbers are wanted: entry.h */

	struct zlazy_call call;
	uint8_t kind;           /* KIND_ */
	uint8_t state;          /* enum zl_frame_state */
	uint16_t level;         /* LEVEL_STEP for each hook outwards of the one that is to run next; LEVEL_ON_CONTROL */
	uint32_t vectors;       /* how far below the frame extended state is saved (trampoline/vector.S); 0: it is not */
	long result;
	uint64_t rdx, rdi, rsi, r10, r8, r9;
	uint64_t rbx, rbp, r12, r13, r14, r15;
};

/* The frame of what a hook was given. */
static inline struct zl_frame *zl_frame_of(struct zlazy_call *call)
{
	return (struct zl_frame *)((char *)call - offsetof(struct zl_frame, call));
}

/* pre: frame->vectors */
static inline void *zl_frame_vectors(const struct zl_frame *frame)
{
	return (char *)frame - frame->vectors;
}

static_assert(ZLAZY_INTERRUPTED == (long)RESULT_INTERRUPTED, "frame.h");
static_assert(offsetof(struct zl_frame, call) == FRAME_CALL, "frame.h");
static_assert(offsetof(struct zl_frame, call.number) == FRAME_NUMBER, "frame.h");
static_assert(offsetof(struct zl_frame, call.arg) == FRAME_ARG0, "frame.h");
static_assert(offsetof(struct zl_frame, call.site) == FRAME_SITE, "frame.h");
static_assert(offsetof(struct zl_frame, call.abi) == FRAME_ABI, "frame.h");
static_assert(offsetof(struct zl_frame, call.flags) == FRAME_CALL_FLAGS, "frame.h");
static_assert(offsetof(struct zl_frame, rdi) == FRAME_RDI, "frame.h");
static_assert(offsetof(struct zl_frame, rdx) == FRAME_RDX, "frame.h");
static_assert(offsetof(struct zl_frame, rsi) == FRAME_RSI, "frame.h");
static_assert(offsetof(struct zl_frame, r10) == FRAME_R10, "frame.h");
static_assert(offsetof(struct zl_frame, r8) == FRAME_R8, "frame.h");
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
static_assert(offsetof(struct zl_frame, self) == FRAME_SELF, "frame.h");
static_assert(offsetof(struct zl_frame, filter) == FRAME_FILTER, "frame.h");
static_assert(offsetof(struct sigcontext, r10) == CONTEXT_R10, "frame.h");
static_assert(offsetof(struct sigcontext, r12) == CONTEXT_R12, "frame.h");
static_assert(offsetof(struct sigcontext, r15) == CONTEXT_R15, "frame.h");
static_assert(offsetof(struct sigcontext, rdi) == CONTEXT_RDI, "frame.h");
static_assert(offsetof(struct sigcontext, rbx) == CONTEXT_RBX, "frame.h");
static_assert(offsetof(struct sigcontext, rdx) == CONTEXT_RDX, "frame.h");
static_assert(offsetof(struct sigcontext, r8) == CONTEXT_R8, "frame.h");
static_assert(offsetof(struct sigcontext, r9) == CONTEXT_R9, "frame.h");
static_assert(offsetof(struct sigcontext, r13) == CONTEXT_R13, "frame.h");
static_assert(offsetof(struct sigcontext, r14) == CONTEXT_R14, "frame.h");
static_assert(offsetof(struct sigcontext, rsi) == CONTEXT_RSI, "frame.h");
static_assert(offsetof(struct sigcontext, rbp) == CONTEXT_RBP, "frame.h");
static_assert(offsetof(struct sigcontext, fpstate) == CONTEXT_STATE, "frame.h");
static_assert(offsetof(struct _fpstate, sw_reserved.xfeatures) == STATE_FEATURES, "frame.h");
static_assert(FRAME_KIND % 8 == 0 && FRAME_VECTORS + sizeof(uint32_t) == FRAME_KIND + 8,
	      "entry.S sets all four by one store");
static_assert(FRAME_ABI % 8 == 0 && FRAME_CALL_FLAGS == FRAME_ABI + 4, "entry.S sets both by one store");
static_assert(sizeof(struct zl_frame) % 64 == 0, "the frame is the bottom of a stack, and begins a line");
static_assert(sizeof(struct zl_frame) == FRAME_SIZE, "frame.h");
#endif
#endif
