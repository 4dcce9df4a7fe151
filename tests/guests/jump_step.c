/* jump_step - issue 5: single-stepping (TF) over calls by mov and by cave shows only the program's own
 * instructions, each once */
#include "jump.h"

enum { STEPS = 200 };
static volatile int steps;
static volatile long seen[STEPS];
extern char step_start[], step_end[];
extern void step(long nr);
FUNCTION(step, "pushq %rbx; pushfq; orl $0x100,(%rsp); movl $5,%ebx; popfq\nstep_start: nop\n"
	"1: movl $102,%eax; syscall; movq $500,%rax; syscall; jmp 2f; .skip 6,0xcc; .p2align 4; 2: movl %edi,%eax; syscall\n"
	"decl %ebx; jnz 1b\nstep_end: nop; popq %rbx; ret");

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
	for (int again = 0; again < 2; again++) {
		step(SYS_getgid);
		for (int i = 0; i < steps; i++)
			say("step at +%ld", seen[i]);
		steps = 0;
	}
	return 0;
}
