/* redzone_leaf - row 5: a leaf function of an unoptimised program keeps its locals in the red zone (built -O0) */
#include "guest.h"

__attribute__((noinline)) static long leaf(long a, long b)
{
	long one = a * 3, two = b * 5, three = one ^ two, result;
	asm volatile("syscall" : "=a"(result) : "0"(SYS_getuid) : "rcx", "r11");
	return one + two + three + result * 0;
}

__attribute__((noinline)) static long leaf_with_time(long a)
{
	long first = a, time[2] = { 0, 0 }, last = a + 1, result;
	asm volatile("syscall" : "=a"(result) : "0"(SYS_clock_gettime), "D"(0L), "S"(time) : "rcx", "r11", "memory");
	return result == 0 && time[0] > 1000000 && first == a && last == a + 1;
}

int main(void)
{
	for (long i = 0; i < 1000; i++) {
		CHECK_EQ(leaf(i, i + 1), i * 3 + (i + 1) * 5 + ((i * 3) ^ ((i + 1) * 5)));
		CHECK(leaf_with_time(i));
	}
	say("locals kept");
	return 0;
}
