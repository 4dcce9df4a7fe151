/* registers.h - one system call with every general register and the flags given, and all of them afterwards
 *
 * registers_call(block): loads block->in, executes `syscall` at label registers_site, stores block->out. rsp in
 * `in` is ignored on the way in and set by the routine. Flags are back to 0x202 on return. REGISTERS_CALL(name, before,
 * behind) makes another such routine, with instructions right before and behind its site.
 */
#ifndef GUEST_REGISTERS_H
#define GUEST_REGISTERS_H

#include "guest.h"

enum { R_RAX, R_RBX, R_RCX, R_RDX, R_RSI, R_RDI, R_RBP, R_RSP, R_R8, R_R9, R_R10, R_R11, R_R12, R_R13, R_R14,
	R_R15, R_FLAGS, R_COUNT };

struct registers { uint64_t in[R_COUNT], out[R_COUNT]; };

#define REGISTERS_CALL(name, before, behind) extern void name##_call(struct registers *block); \
	extern char name##_site[], name##_after[]; \
	asm(".text; " #name "_call:\n" \
	"pushq %rbx; pushq %rbp; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n" \
	"pushq %rdi\n" \
	"movq %rsp, 8*7(%rdi)\n" \
	"pushq 8*16(%rdi)\n" \
	"movq 8*0(%rdi), %rax; movq 8*1(%rdi), %rbx; movq 8*2(%rdi), %rcx; movq 8*3(%rdi), %rdx\n" \
	"movq 8*4(%rdi), %rsi; movq 8*6(%rdi), %rbp; movq 8*8(%rdi), %r8; movq 8*9(%rdi), %r9\n" \
	"movq 8*10(%rdi), %r10; movq 8*11(%rdi), %r11; movq 8*12(%rdi), %r12; movq 8*13(%rdi), %r13\n" \
	"movq 8*14(%rdi), %r14; movq 8*15(%rdi), %r15; movq 8*5(%rdi), %rdi\n" \
	"popfq\n" \
	before #name "_site:\n" \
	"syscall\n" \
	#name "_after:\n" behind \
	"pushfq\n" \
	"pushq %rax\n" \
	"movq 16(%rsp), %rax\n" \
	"popq 8*17+8*0(%rax)\n" \
	"popq 8*17+8*16(%rax)\n" \
	"movq %rsp, 8*17+8*7(%rax)\n" \
	"movq %rbx, 8*17+8*1(%rax); movq %rcx, 8*17+8*2(%rax); movq %rdx, 8*17+8*3(%rax)\n" \
	"movq %rsi, 8*17+8*4(%rax); movq %rdi, 8*17+8*5(%rax); movq %rbp, 8*17+8*6(%rax)\n" \
	"movq %r8, 8*17+8*8(%rax); movq %r9, 8*17+8*9(%rax); movq %r10, 8*17+8*10(%rax)\n" \
	"movq %r11, 8*17+8*11(%rax); movq %r12, 8*17+8*12(%rax); movq %r13, 8*17+8*13(%rax)\n" \
	"movq %r14, 8*17+8*14(%rax); movq %r15, 8*17+8*15(%rax)\n" \
	"pushq $0x202; popfq\n" \
	"popq %rdi\n" \
	"popq %r15; popq %r14; popq %r13; popq %r12; popq %rbp; popq %rbx\n" \
	"ret\n")

REGISTERS_CALL(registers, "", "");

static const char *const register_names[] = { "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9",
	"r10", "r11", "r12", "r13", "r14", "r15", "rflags" };

/* Give every register a value of its own. */
GUEST_UNUSED static void fill_registers(struct registers *block, uint64_t nr)
{
	for (uint64_t i = 0; i < R_FLAGS; i++)
		block->in[i] = 0x0123456789abcdefUL * (i + 1) ^ i << 56;
	block->in[R_RAX] = nr;
	block->in[R_FLAGS] = 0x202;
}

/* All as before the call, but rax, rcx (the address after it) and r11 (the flags). */
GUEST_UNUSED static void check_registers_of(const struct registers *block, const char *when, const char *after)
{
	for (int i = R_RBX; i < R_COUNT; i++) {
		uint64_t expected = i == R_RCX ? (uint64_t)after : i == R_R11 ? block->in[R_FLAGS] : block->in[i];
		if (block->out[i] != expected)
			FAIL("%s: %s is %#lx, not %#lx", when, register_names[i], block->out[i], expected);
	}
}

GUEST_UNUSED static void check_registers(const struct registers *block, const char *when)
{
	check_registers_of(block, when, registers_after);
}

#endif
