/* gs_unused - row 17: gs reads as 0 and may be set to that; bad values and codes get the kernel's errors; the other
 * codes of arch_prctl answer as natively; set_thread_area is not there for 64-bit code */
#include "guest.h"
#include <asm/prctl.h>

int main(void)
{
	static const long others[] = { 0x1011 /* ARCH_GET_CPUID */, 0x5005 /* ARCH_SHSTK_STATUS */, 0x1021 /* XCOMP_SUPP */,
		0x1022 /* XCOMP_PERM */, 0x4001 /* GET_UNTAG_MASK */, 0x7777, -1 };
	unsigned long base = 1, fs = 0, same = 0, answer;
	int area[4] = { -1 };
	for (int again = 0; again < 3; again++) {
		CHECK(raw2(SYS_arch_prctl, ARCH_GET_GS, &base) == 0 && base == 0);
		CHECK_EQ(raw2(SYS_arch_prctl, ARCH_GET_GS | 5L << 32, &base), 0);
		CHECK_EQ(raw2(SYS_arch_prctl, ARCH_GET_GS, 8), -EFAULT);
		CHECK_EQ(raw2(SYS_arch_prctl, ARCH_SET_GS, 0), 0);
		CHECK_EQ(raw2(SYS_arch_prctl, ARCH_SET_GS | 5L << 32, -1), -EPERM);
		CHECK_EQ(raw2(SYS_arch_prctl, ARCH_GET_FS, &fs), 0);
		CHECK_EQ(raw2(SYS_arch_prctl, ARCH_SET_FS, fs), 0);
		CHECK_EQ(raw2(SYS_arch_prctl, ARCH_SET_FS, -1), -EPERM);
		CHECK_EQ(raw2(SYS_arch_prctl, ARCH_GET_FS, 8), -EFAULT);
		CHECK(raw2(SYS_arch_prctl, ARCH_GET_FS, &same) == 0 && same == fs && fs == *(unsigned long *)fs);
		for (size_t i = 0; i < COUNT_OF(others); i++) {
			answer = 0;
			long result = raw2(SYS_arch_prctl, others[i], &answer);
			say("%#lx: %ld, %#lx", others[i], result, answer);
		}
		say("set_thread_area: %ld, get_thread_area: %ld", raw1(SYS_set_thread_area, area),
		    raw1(SYS_get_thread_area, area));
	}
	return 0;
}
