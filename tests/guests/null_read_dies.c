/* null_read_dies - row 9: a read through NULL without a handler kills with SIGSEGV (guests.py compares the status) */
#include "guest.h"

int main(void)
{
	say("before");
	CHECK(raw0(SYS_getuid) == getuid());
	asm volatile("movb (%0),%%al" : : "r"(0L) : "rax", "rcx", "rdx", "memory");
	FAIL("survived");
}
