/* unwind - a call three functions deep, for tests/test_unwind.py to step through; by itself: its calls work */
#include "guest.h"

extern const char unwind_site[];
static volatile long number = SYS_getppid;

__attribute__((noinline)) static long deepest(void)
{
	register long rbx asm("rbx") = 0x1234;   /* a callee-saved register that an unwinder has to find */
	long result;
	asm volatile(".globl unwind_site\nunwind_site: syscall" : "=a"(result), "+r"(rbx) : "0"(number)
		: "rcx", "r11", "memory");
	return result + rbx - 0x1234;
}

__attribute__((noinline)) static long middle(void)
{
	long result = deepest();
	asm volatile("" : "+r"(result));
	return result;
}

int main(void)
{
	for (int i = 0; i < 4; i++)
		CHECK_EQ(middle(), getppid());
	say("came back");
	return 0;
}
