/* null_write_dies - row 9: a write through NULL without a handler kills with SIGSEGV (guests.py compares the status) */
#include "guest.h"

int main(void)
{
	say("before");
	CHECK(raw0(SYS_getuid) == getuid());
	asm volatile("movb $1,(%0)" : : "r"(0L) : "rax", "rcx", "rdx", "memory");
	FAIL("survived");
}
