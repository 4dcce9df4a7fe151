/* jump_edit_pc - issue 5, row 13: handlers that come over calls by mov and by cave send the thread elsewhere; or
 * only change registers */
#include "jump.h"

enum { HITS = 1000 };
volatile int hits, landed;
volatile long in_loop;
extern char edit_start[], edit_end[], edit_landing[];
extern long edit(long nr);
FUNCTION(edit, "pushq %rbx; movl $1,in_loop(%rip); jmp edit_start\n"
	"edit_landing: incl landed(%rip); cmpq $0x7777,%rbx; je edit_start; ud2\n"
	"edit_start: xorl %ebx,%ebx; movl $500,%eax; syscall; cmpq $-38,%rax; jne 9f\n"
	"movl %edi,%eax; syscall; testq %rax,%rax; js 9f\n"
	"cmpl $1000,hits(%rip); jb edit_start\nedit_end: movl $0,in_loop(%rip); popq %rbx; ret\n9: ud2");

static void on_tick(int signo, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	(void)signo, (void)info;
	if (!in_loop || hits >= HITS || regs[REG_RIP] < (long)edit_start || regs[REG_RIP] >= (long)edit_end)
		return;
	hits++;
	regs[REG_RIP] = (long)edit_landing;
	regs[REG_RBX] = 0x7777;
}

int main(void)
{
	handle(SIGALRM, on_tick, 0);
	tick_every(200);
	CHECK(edit(SYS_getuid) == getuid());
	tick_every(0);
	CHECK_EQ(landed, hits);
	say("%d landed", landed);
	return 0;
}
