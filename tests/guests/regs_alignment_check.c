/* regs_alignment_check - row 10: the alignment check of the program (rflags.AC) is its own: on after a call, in r11 too,
 * and nothing that runs for the call trips over it */
#include "guest.h"

#define AC 0x40000

static long call_with_ac(long nr, long *flags, long *r11)
{
	long result;
	asm volatile("pushfq; orl $0x40000,(%%rsp); popfq; syscall; pushfq; popq %1; movq %%r11,%2;"
		     "pushfq; andl $~0x40000,(%%rsp); popfq"
		     : "=a"(result), "=&r"(*flags), "=&r"(*r11) : "0"(nr) : "rcx", "r11", "memory", "cc");
	return result;
}

int main(void)
{
	long flags, r11;
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(call_with_ac(SYS_getpid, &flags, &r11), getpid());
		CHECK(flags & AC);
		CHECK(r11 & AC);
		CHECK_EQ(call_with_ac(500, &flags, &r11), -ENOSYS);
		CHECK(flags & AC);
	}
	say("kept");
	return 0;
}
