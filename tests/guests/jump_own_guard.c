/* jump_own_guard - issue 5: where a jump was, the program writes the one-byte undefined instruction that the agent uses
 * as its guard: SIGILL, as natively */
#include "jump.h"

MOV_CALL(called, 102);
extern unsigned char called_bytes[] asm("called");
static volatile int ills;

static void on_ill(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)context;
	CHECK(info->si_addr == called_bytes);
	ills++;
	protect((void *)((uintptr_t)called_bytes & -4096UL), 1, PROT_RWX);
	called_bytes[0] = 0xb8;
	protect((void *)((uintptr_t)called_bytes & -4096UL), 1, PROT_RX);
}

int main(void)
{
	handle(SIGILL, on_ill, 0);
	for (int round = 0; round < 4; round++) {
		CHECK_EQ(called(0, 0, 0), getuid());
		CHECK_EQ(called(0, 0, 0), getuid());
		protect((void *)((uintptr_t)called_bytes & -4096UL), 1, PROT_RWX);
		called_bytes[0] = 0x06;
		protect((void *)((uintptr_t)called_bytes & -4096UL), 1, PROT_RX);
		CHECK_EQ(called(0, 0, 0), getuid());
		CHECK_EQ(ills, round + 1);
	}
	say("4 times SIGILL");
	return 0;
}
