/* jump_breakpoints - issue 5: the program puts int3 into its called code, at the mov, the site and the padding,
 * meets it, takes it away again */
#include "jump.h"

CODE_PAGE_OF_CALLS(page, 102);
static unsigned char *broken, original;
static volatile int traps;

static void poke(unsigned char *at, unsigned char byte, int writable)
{
	protect(page, 1, writable);
	*at = byte;
	protect(page, 1, PROT_RX);
}

static void on_trap(int signo, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	CHECK(signo == SIGTRAP && info->si_code == SI_KERNEL);
	CHECK_EQ(regs[REG_RIP] - 1 - (long)page, broken - page);
	poke(broken, original, PROT_RWX);
	regs[REG_RIP]--;
	traps++;
}

int main(void)
{
	static const int places[] = { 0, MOV_SITE, MOV_SITE + 2, CAVE_AT + 9, CAVE_SITE, CAVE_SITE + 2 };
	handle(SIGTRAP, on_trap, 0);
	for (int round = 0; round < 60; round++) {
		run_page(page, 10), run_page(page, 10);
		broken = page + 64 * (round % 10) + places[round % 6];
		protect(page, 1, PROT_RW);
		original = *broken;
		poke(broken, 0xcc, round % 4 ? PROT_RW : PROT_RWX);
		run_page(page, 10), run_page(page, 10);
	}
	CHECK_EQ(traps, 60);
	say("%d traps", traps);
	return 0;
}
