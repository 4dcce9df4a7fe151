/* null_call_dies - row 9: a call through NULL without a handler kills with SIGSEGV (guests.py compares the status) */
#include "guest.h"

int main(void)
{
	say("before");
	CHECK(raw0(SYS_getuid) == getuid());
	asm volatile("call *%0" : : "r"(0L) : "rax", "rcx", "rdx", "memory");
	FAIL("survived");
}
