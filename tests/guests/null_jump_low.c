/* null_jump_low - row 9: jumps to small addresses; a sled forgets which, so this one may be a limit */
#include "fault.h"

static long expected_rsp;

__attribute__((noinline)) static void jump_low(long address)
{
	asm volatile("movq %%rsp,%0; jmp *%1" : "=m"(expected_rsp) : "c"(address), "a"(39L) : "memory");
}

int main(void)
{
	handle(SIGSEGV, on_fault, 0);
	for (int again = 0; again < 3 * 0x100; again += 0x100) {
		if (!sigsetjmp(fault_jump, 1)) {
			jump_low(again + 0x10);
			FAIL("it was jumped to");
		}
		CHECK_EQ(fault.rsp, expected_rsp);
		say_fault("jump", NULL);
	}
	return 0;
}
