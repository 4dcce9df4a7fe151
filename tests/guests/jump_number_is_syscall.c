/* jump_number_is_syscall - issue 5, row 20: a mov whose number is itself `syscall; ret`, called and jumped into */
#include "jump.h"

FUNCTION(outer, "movl $0xc3050f,%eax; syscall; ret");
extern call_function outer;
extern char outer_start[] asm("outer");

static long call_with(const void *code, long nr)
{
	long result;
	asm volatile("call *%1" : "=a"(result) : "r"(code), "0"(nr) : "rcx", "r11", "rdi", "memory");
	return result;
}

int main(void)
{
	for (int again = 0; again < 20; again++) {
		CHECK_EQ(outer(0, 0, 0), -ENOSYS);
		CHECK_EQ(call_with(outer_start + 1, SYS_getuid), getuid());
	}
	say("both called");
	return 0;
}
