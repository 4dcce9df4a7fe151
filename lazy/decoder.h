/* decoder.h - the table through which the agent reaches its instruction decoder
 *
 * The decoder (Zydis) is loaded by agent/, so that the program doesn't see it; lazy/ must not know it. The
 * table is absent (zl_decoder == NULL) when no decoder could be loaded: then every site keeps trapping.
 */
#ifndef ZL_LAZY_DECODER_H
#define ZL_LAZY_DECODER_H

#include <stdbool.h>
#include <stdint.h>

enum zl_flow {
	ZL_FLOW_NEXT,          /* goes on with the next instruction */
	ZL_FLOW_BRANCH,        /* conditional jump: target or next */
	ZL_FLOW_JUMP,          /* unconditional direct jump */
	ZL_FLOW_CALL,          /* direct or indirect call */
	ZL_FLOW_SYSCALL,       /* the syscall instruction */
	ZL_FLOW_AWAY,          /* indirect jump: goes on nobody knows where */
	ZL_FLOW_END,           /* ret, hlt, ud2, int3: the function ends here */
};

enum zl_base { ZL_BASE_NONE, ZL_BASE_RSP, ZL_BASE_RBP };

enum zl_stack {
	ZL_STACK_SAME,         /* rsp as it was, or what a call does to it */
	ZL_STACK_MOVE,         /* rsp += amount: sub $n, add $n, push, pop, lea n(%rsp),%rsp */
	ZL_STACK_DOWN,         /* rsp lower by an unknown amount: and $-n,%rsp; sub %rax,%rsp */
	ZL_STACK_POP_RBP,      /* pop %rbp */
	ZL_STACK_FROM_RBP,     /* rsp = rbp + amount: leave (amount 8), mov %rbp,%rsp, lea n(%rbp),%rsp */
	ZL_STACK_OTHER,        /* any other write of rsp */
};

enum zl_frame_pointer {
	ZL_RBP_SAME,           /* rbp as it was (a pop or leave shows in `stack` only) */
	ZL_RBP_FRAME,          /* rbp = rsp + frame_offset: mov %rsp,%rbp; lea n(%rsp),%rbp */
	ZL_RBP_OTHER,          /* any other write of rbp: it holds something else */
};

/* What the agent wants to know of one instruction. */
struct zl_insn {
	uint8_t length;        /* bytes, 1..15 */
	uint8_t flow;          /* enum zl_flow */
	bool is_padding;       /* nop of any length, int3, endbr64: what lies between functions */
	uint8_t base;          /* enum zl_base: of a memory operand with a negative displacement; NONE for any other */
	uint8_t stack;         /* enum zl_stack */
	uint8_t rbp;           /* enum zl_frame_pointer */
	int32_t displacement;  /* negative, where base is not NONE */
	uint32_t size;         /* bytes accessed from there; 0: unknown (lea, an index register) */
	int32_t amount;        /* see `stack` */
	int32_t frame_offset;  /* see `rbp` */
	int32_t target;        /* ZL_FLOW_BRANCH, _JUMP: relative to this instruction's first byte */
};

struct zl_decoder {
	/* Decode one instruction from `bytes` (at most `available` of them). Returns its length, 0 if it is none.
	 * Thread-safe, no allocation, no system call. */
	int (*decode)(const uint8_t *bytes, unsigned available, struct zl_insn *insn);
	/* Length only; faster. Same errors. */
	int (*length)(const uint8_t *bytes, unsigned available);
};

extern const struct zl_decoder *zl_decoder;

#endif
