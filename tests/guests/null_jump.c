/* null_jump - row 9: a jump (tail call) to NULL: RIP 0, and nothing pushed; also with 0 where a call pushes its address */
#include "fault.h"

static long expected_rsp;

__attribute__((noinline)) static void jump_null(void)
{
	asm volatile("movq %%rsp,%0; jmp *%1" : "=m"(expected_rsp) : "r"(0L), "a"(39L) : "memory");
}

__attribute__((noinline)) static void jump_null_over_zero(void)
{
	asm volatile("pushq $0; movq %%rsp,%0; jmp *%1" : "=m"(expected_rsp) : "r"(0L), "a"(39L) : "memory");
}

int main(void)
{
	handle(SIGSEGV, on_fault, 0);
	for (int again = 0; again < 3; again++) {
		if (!sigsetjmp(fault_jump, 1)) {
			if (again == 1)
				jump_null_over_zero();
			else
				jump_null();
			FAIL("NULL was jumped to");
		}
		CHECK_EQ(fault.rsp, expected_rsp);
		say_fault("jump", NULL);
	}
	return 0;
}
