/* sig_timer_calls - signals.md section 1: a timer interrupts a loop of calls; its handler finds the program's own pc, rsp, registers */
#include "guest.h"

enum { HITS = 300 };
volatile int hits, loop_failed;
volatile long loop_rsp;
extern char loop_start[], loop_site[], loop_end[];

static void on_tick(int signo, siginfo_t *info, void *context)
{
	long rip = reg(context, REG_RIP);
	(void)signo, (void)info;
	if (loop_rsp == 0)
		return; /* not yet in the loop */
	if (hits >= HITS)
		return; /* on the way out */
	if (rip < (long)loop_start || rip >= (long)loop_end)
		FAIL("pc is loop%+ld, after %d", rip - (long)loop_start, hits);
	CHECK_EQ(reg(context, REG_RSP), loop_rsp);
	CHECK_EQ(reg(context, REG_RBX), 0x1111111111111111);
	CHECK_EQ(reg(context, REG_RDI), 0x2222222222222222);
	CHECK_EQ(reg(context, REG_R10), 0x3333333333333333);
	CHECK_EQ(reg(context, REG_R15), 0x4444444444444444);
	if (rip == (long)loop_site)
		CHECK_EQ(reg(context, REG_RAX), SYS_getuid);
	if (rip == (long)loop_site + 2)
		CHECK_EQ(reg(context, REG_RAX), getuid());
	hits++;
}

int main(void)
{
	handle(SIGALRM, on_tick, 0);
	tick_every(700);
	asm volatile("pushq %%rbx; pushq %%r15; movabsq $0x1111111111111111,%%rbx; movabsq $0x2222222222222222,%%rdi\n"
		"movabsq $0x3333333333333333,%%r10; movabsq $0x4444444444444444,%%r15\n"
		".globl loop_start, loop_site, loop_end\n"
		"loop_start: movq %%rsp,loop_rsp(%%rip); movl $102,%%eax\nloop_site: syscall\n"
		"testq %%rax,%%rax; js 2f; cmpl $300,hits(%%rip); jb loop_start\nloop_end: jmp 3f\n"
		"2: movl $1,loop_failed(%%rip)\n3: popq %%r15; popq %%rbx"
		: : : "rax", "rcx", "rdx", "rsi", "rdi", "r10", "r11", "memory");
	tick_every(0);
	CHECK(!loop_failed);
	say("%d handlers, each in the loop", HITS);
	return 0;
}
