/* int80 - row 22: `int $0x80` in 64-bit code is a call of the 32-bit table: 20 is getpid there, 24 getuid, 4 write */
#include "code.h"

__attribute__((noinline)) static long call32(long nr, long a, long b, long c)
{
	long result;
	asm volatile("int $0x80" : "=a"(result) : "0"(nr), "b"(a), "c"(b), "d"(c)
		: "r8", "r9", "r10", "r11", "memory");
	return result;
}

int main(void)
{
	char *low = mmap(NULL, CODE_PAGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	CHECK(low != MAP_FAILED);
	if (call32(199, 0, 0, 0) == -ENOSYS)
		SKIP("no 32-bit calls in this kernel");
	strcpy(low, "written by int $0x80\n");
	for (int again = 0; again < 100; again++) {
		CHECK_EQ(call32(20, 0, 0, 0), getpid());
		CHECK_EQ(call32(199, 0, 0, 0), getuid());
		CHECK_EQ(call32(600, 0, 0, 0), -ENOSYS);
		CHECK_EQ(call32(-(512 + again % 5), 0, 0, 0), -ENOSYS); /* as -ERESTARTSYS and its kin */
		CHECK_EQ(call32(6, 0x12345, 0, 0), -EBADF);
	}
	CHECK_EQ(call32(4, 1, (long)low, (long)strlen(low)), (long)strlen(low));
	return 0;
}
