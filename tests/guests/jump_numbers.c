/* jump_numbers - issue 5, cave: a number in a register, any: huge, negative, with high bits, an address without
 * anything */
#include "jump.h"

CAVE_CALL(low_to_high);
CAVE_CALL(high_to_low);
FUNCTION(negative, "movl $-1,%eax; syscall; ret");
FUNCTION(negative_long, "movq $-1,%rax; syscall; ret");
FUNCTION(sign_bit, "movl $0x80000066,%eax; syscall; ret");
FUNCTION(sign_bit_long, "movq $-0x7fffff9a,%rax; syscall; ret");
extern call_function negative, negative_long, sign_bit, sign_bit_long;

int main(void)
{
	static const unsigned long numbers[] = { 500, 511, 512, 4095, 4096, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
		0x80000066, 0xffffffff, -1UL, -102UL, 1UL << 63 | 500,
		0x8000000000000fff, 0x7fffffffffff, 0x0000800000000500, 0x123456789000 };
	static const unsigned long getuids[] = { 102, 0xdeadbeef00000066, 1UL << 63 | 102, 0xffffffff00000066,
		0x7fff00000066 };
	for (int again = 0; again < 50; again++) {
		for (size_t i = 0; i < COUNT_OF(numbers); i++) {
			CHECK_EQ(low_to_high((long)numbers[i], 1, 2, 3), -ENOSYS);
			CHECK_EQ(high_to_low((long)numbers[COUNT_OF(numbers) - 1 - i], 1, 2, 3), -ENOSYS);
		}
		for (size_t i = 0; i < COUNT_OF(getuids); i++) {
			CHECK_EQ(low_to_high((long)getuids[i], 1, 2, 3), getuid());
			CHECK_EQ(high_to_low((long)getuids[COUNT_OF(getuids) - 1 - i], 1, 2, 3), getuid());
		}
		CHECK(negative(0, 0, 0) == -ENOSYS && negative_long(0, 0, 0) == -ENOSYS);
		CHECK(sign_bit(0, 0, 0) == -ENOSYS && sign_bit_long(0, 0, 0) == -ENOSYS);
	}
	say("%zu numbers without a call, %zu getuids", COUNT_OF(numbers), COUNT_OF(getuids));
	return 0;
}
