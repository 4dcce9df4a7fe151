/* jump_function_copied_cave - issue 5, row 3: as jump_function_copied, with the number in a register: the copy has
 * a cave, or a call */
#include "jump.h"

CAVE_CALL(cave);
extern unsigned char code[] asm("cave");

int main(void)
{
	unsigned char *near = map_pages(1, PROT_RW), *low = mmap((void *)0x20000000, CODE_PAGE, PROT_RW,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(low == (void *)0x20000000);
	for (int again = 0; again < 3; again++)
		CHECK_EQ(cave(500, 0, 0, 0), -ENOSYS);
	for (int i = 0; i < 10; i++)
		memcpy((i % 2 ? near : low) + 96 * i, code, 32);
	protect(near, 1, PROT_RX);
	protect(low, 1, PROT_RX);
	for (int again = 0; again < 3; again++)
		for (int i = 0; i < 10; i++)
			CHECK_EQ(((cave_function *)(uintptr_t)((i % 2 ? near : low) + 96 * i))(SYS_getgid, 0, 0, 0), getgid());
	say("10 copies called");
	return 0;
}
