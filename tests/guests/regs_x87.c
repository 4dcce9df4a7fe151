/* regs_x87 - row 10: mxcsr, the x87 control and tag words and a full x87 stack survive */
#include "guest.h"

static unsigned char before[512] __attribute__((aligned(16))), after[512] __attribute__((aligned(16)));

int main(void)
{
	static const uint16_t control[] = { 0x037f, 0x0f7f, 0x007f, 0x0c7f };
	static const uint32_t mxcsr[] = { 0x1f80, 0x9fc0, 0x7f80, 0x3fbf };
	for (int again = 0; again < 100; again++) {
		int i = again % 4;
		asm volatile("fninit; fldcw %2; fldpi; fldl2e; fldl2t; fldlg2; fldln2; fld1; fldz; fldpi\n"
			"ldmxcsr %3; fxsave %0; movl $102,%%eax; syscall; fxsave %1; fninit"
			: "=m"(before), "=m"(after) : "m"(control[i]), "m"(mxcsr[i]) : "rax", "rcx", "r11", "memory");
		uint32_t normal = 0x1f80;
		asm volatile("ldmxcsr %0" : : "m"(normal));
		CHECK(memcmp(before, after, 5) == 0);              /* control, status, tag */
		CHECK(memcmp(before + 24, after + 24, 8) == 0);    /* mxcsr and its mask */
		for (int r = 0; r < 8; r++)
			CHECK(memcmp(before + 32 + 16 * r, after + 32 + 16 * r, 10) == 0);
		CHECK(memcmp(before + 160, after + 160, 256) == 0); /* xmm */
	}
	say("x87 and mxcsr kept");
	return 0;
}
