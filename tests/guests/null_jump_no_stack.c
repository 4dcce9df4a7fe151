/* null_jump_no_stack - row 9: a jump to NULL with a stack pointer that points nowhere: every register as it was */
#include "fault.h"

static long seen[4];

static void on_fault_there(int signal, siginfo_t *info, void *context)
{
	seen[0] = reg(context, REG_RDX);
	seen[1] = reg(context, REG_RCX);
	seen[2] = reg(context, REG_R11);
	seen[3] = reg(context, REG_EFL) & 0x8d5;
	on_fault(signal, info, context);
}

int main(void)
{
	static char memory[65536];
	stack_t stack = { .ss_sp = memory, .ss_size = sizeof(memory) };
	CHECK(sigaltstack(&stack, NULL) == 0);
	handle(SIGSEGV, on_fault_there, SA_ONSTACK);
	if (!sigsetjmp(fault_jump, 1))
		asm volatile("movl $0x10000,%%esp; movl $0x1111,%%edx; movl $0x2222,%%ecx; movl $0x3333,%%r11d;"
			     "xorl %%eax,%%eax; stc; jmp *%%rax" : : : "memory");
	say("rdx %#lx rcx %#lx r11 %#lx flags %#lx", seen[0], seen[1], seen[2], seen[3]);
	return 0;
}
