/* null_jump - row 9: a jump (tail call) to NULL: RIP 0, and nothing pushed */
#include "fault.h"

static long expected_rsp;

__attribute__((noinline)) static void jump_null(void)
{
	asm volatile("movq %%rsp,%0; jmp *%1" : "=m"(expected_rsp) : "r"(0L), "a"(39L) : "memory");
}

int main(void)
{
	handle(SIGSEGV, on_fault, 0);
	for (int again = 0; again < 3; again++) {
		if (!sigsetjmp(fault_jump, 1)) {
			jump_null();
			FAIL("NULL was jumped to");
		}
		CHECK_EQ(fault.rsp, expected_rsp);
		say_fault("jump", NULL);
	}
	return 0;
}
