/* step_calls - signals.md section 7: single-stepping (TF) over calls: SIGTRAP shows only the program's own instructions, as natively */
#include "guest.h"

enum { STEPS = 100 };
static volatile int steps;
static volatile long seen[STEPS];
extern char step_start[], step_end[];

static void on_trap(int signo, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	CHECK(signo == SIGTRAP && info->si_code == TRAP_TRACE);
	if (steps < STEPS)
		seen[steps++] = regs[REG_RIP] - (long)step_start;
	if (regs[REG_RIP] == (long)step_end || steps == STEPS)
		regs[REG_EFL] &= ~0x100L;
}

int main(void)
{
	handle(SIGTRAP, on_trap, 0);
	asm volatile("pushfq; orl $0x100,(%%rsp); movl $3,%%ebx; popfq\n.globl step_start, step_end\nstep_start: nop\n"
		"1: movl $102,%%eax; syscall; movl $500,%%eax; syscall; decl %%ebx; jnz 1b\nstep_end: nop"
		: : : "rax", "rbx", "rcx", "r11", "memory");
	for (int i = 0; i < steps; i++)
		say("step at +%ld", seen[i]);
	return 0;
}
