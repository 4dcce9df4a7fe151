/* gs_own - row 17: the program sets its own gs base by arch_prctl and reads through it; fs by arch_prctl reads back */
#include "guest.h"
#include <asm/prctl.h>

static long block[4] = { 111, 222, 333, 444 };

int main(void)
{
	unsigned long base = 0, fs = 0;
	long value;
	CHECK(raw2(SYS_arch_prctl, ARCH_GET_GS, &base) == 0 && base == 0);
	CHECK(raw2(SYS_arch_prctl, ARCH_GET_FS, &fs) == 0 && fs == *(unsigned long *)fs);
	CHECK(raw2(SYS_arch_prctl, ARCH_SET_GS, block) == 0);
	for (int again = 0; again < 5; again++) {
		CHECK(raw2(SYS_arch_prctl, ARCH_GET_GS, &base) == 0 && base == (unsigned long)block);
		asm volatile("movq %%gs:8,%0" : "=r"(value));
		CHECK_EQ(value, 222);
		CHECK_EQ(raw0(SYS_getuid), getuid());
	}
	CHECK_EQ(raw2(SYS_arch_prctl, ARCH_SET_GS, -1), -EPERM);
	CHECK_EQ(raw2(SYS_arch_prctl, 0x7777, 0), -EINVAL);
	say("gs is the program's");
	return 0;
}
