/* jump_timer - issue 5, rows 13 and 31: a fast timer over calls by mov and by cave: handlers see the program's own
 * pc, rsp, registers */
#include "jump.h"

enum { HITS = 2000 };
volatile int hits;
volatile long loop_rsp;
extern char loop_start[], loop_mov_site[], loop_cave_site[], loop_end[];
extern void loop(long nr);
FUNCTION(loop, "pushq %rbx; pushq %r15; movabsq $0x1111111111111111,%rbx; movabsq $0x3333333333333333,%r10\n"
	"movabsq $0x4444444444444444,%r15; movq %rsp,loop_rsp(%rip)\n"
	"loop_start: movl $500,%eax\nloop_mov_site: syscall\n"
	"movl %edi,%eax\nloop_cave_site: syscall\n"
	"cmpl $2000,hits(%rip); jb loop_start\nloop_end: popq %r15; popq %rbx; ret");

static void on_tick(int signo, siginfo_t *info, void *context)
{
	long rip = reg(context, REG_RIP);
	(void)signo, (void)info;
	if (loop_rsp == 0 || hits >= HITS)
		return;
	if (rip < (long)loop_start || rip >= (long)loop_end)
		FAIL("pc is loop%+ld, after %d", rip - (long)loop_start, hits);
	CHECK_EQ(reg(context, REG_RSP), loop_rsp);
	CHECK_EQ(reg(context, REG_RBX), 0x1111111111111111);
	CHECK_EQ(reg(context, REG_RDI), SYS_getuid);
	CHECK_EQ(reg(context, REG_R10), 0x3333333333333333);
	CHECK_EQ(reg(context, REG_R15), 0x4444444444444444);
	if (rip == (long)loop_mov_site)
		CHECK_EQ(reg(context, REG_RAX), 500);
	if (rip == (long)loop_cave_site)
		CHECK_EQ(reg(context, REG_RAX), SYS_getuid);
	if (rip == (long)loop_mov_site + 2 || rip == (long)loop_cave_site + 2)
		CHECK_EQ(reg(context, REG_RAX), rip == (long)loop_mov_site + 2 ? -ENOSYS : (long)getuid());
	hits++;
}

int main(void)
{
	handle(SIGALRM, on_tick, 0);
	tick_every(200);
	loop(SYS_getuid);
	tick_every(0);
	say("%d handlers, each in the loop", HITS);
	return 0;
}
