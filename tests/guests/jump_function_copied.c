/* jump_function_copied - issue 5, row 3: a function that was called (mov) is copied to other memory, near and far,
 * and runs there */
#include "jump.h"

MOV_CALL(mov, 102);
extern unsigned char code[] asm("mov");

int main(void)
{
	unsigned char *near = map_pages(1, PROT_RW), *low = mmap((void *)0x20000000, CODE_PAGE, PROT_RW,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(low == (void *)0x20000000);
	for (int again = 0; again < 3; again++)
		CHECK_EQ(mov(0, 0, 0), getuid());
	for (int i = 0; i < 10; i++)
		memcpy((i % 2 ? near : low) + 96 * i, code, 32);
	protect(near, 1, PROT_RX);
	protect(low, 1, PROT_RX);
	for (int again = 0; again < 3; again++)
		for (int i = 0; i < 10; i++)
			CHECK_EQ(call_at((i % 2 ? near : low) + 96 * i, 0, 0, 0), getuid());
	say("10 copies called");
	return 0;
}
