/* rz_switch - row 5: leaves with their locals in the red zone, a switch, and no unwind table (built without) */
#include "guest.h"

#define CALL(result) asm volatile("syscall" : "=a"(result) : "0"((long)SYS_getpid) : "rcx", "r11", "memory")

__attribute__((noinline, noclone)) static long words(const long *in, long which, long *kept)
{
	long local[16], sum = 0, result = 0;

	for (int i = 0; i < 16; i++)
		local[i] = in[i];
	asm volatile("" : : "r"(local) : "memory");
	switch (which) {
	case 0: CALL(result); break;
	case 1: sum += 3;   /* fall through */
	case 2: CALL(result); sum += local[0]; break;
	case 3: sum ^= 7; break;
	case 4: CALL(result); CALL(result); break;
	default: sum -= 1;
	}
	if (which == 1)
		CALL(result);
	asm volatile("" : : "r"(local) : "memory");
	for (int i = 0; i < 16; i++)
		sum = sum * 5 + local[i];
	*kept = result;
	return sum;
}

__attribute__((noinline, noclone)) static long shorts(const long *in, long which)
{
	unsigned short local[6];
	long result = 0, sum = 0;

	for (int i = 0; i < 6; i++)
		local[i] = (unsigned short)in[i % 4];
	asm volatile("" : : "r"(local) : "memory");
	if (which > 2) {
		CALL(result);
		sum = local[which] - local[which];
	}
	if (__builtin_expect(which == 0, 0))
		CALL(result);
	CALL(result);
	asm volatile("" : : "r"(local) : "memory");
	for (int i = 0; i < 6; i++)
		sum += local[i];
	return result < 0 ? 0 : sum;
}

/* What words() computes. */
static long expected(const long *in, long which)
{
	static const long first[6] = { 0, 3, 0, 7, 0, -1 };
	long sum = first[which] + (which == 1 || which == 2 ? in[0] : 0);

	for (int i = 0; i < 16; i++)
		sum = (long)((unsigned long)sum * 5 + (unsigned long)in[i]);
	return sum;
}

int main(void)
{
	static const long in[16] = { 1, 20, 300, 4000, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	long kept;

	for (int again = 0; again < 3; again++)
		for (long which = 0; which < 6; which++) {
			CHECK_EQ(words(in, which, &kept), expected(in, which));
			CHECK_EQ(shorts(in, which), 4342);
		}
	say("red zone kept");
	return 0;
}
