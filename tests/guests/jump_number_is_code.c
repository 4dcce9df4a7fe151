/* jump_number_is_code - issue 5, row 4: a number that is the address of executable memory: the call fails, and
 * that code does not run */
#include "jump.h"

CAVE_CALL(cave);
FUNCTION(constant, "movl $0x50000010,%eax; syscall; ret");
extern call_function constant;

int main(void)
{
	unsigned char *low = mmap((void *)0x50000000, CODE_PAGE, PROT_RW,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (low != (void *)0x50000000)
		SKIP("0x50000000 is taken");
	memset(low, 0xf4, CODE_PAGE);
	memcpy(low + 16, "\xb8\x67\x12\x00\x00\xc3", 6); /* mov $4711,%eax; ret */
	protect(low, 1, PROT_RX);
	for (int again = 0; again < 20; again++) {
		CHECK_EQ(cave(again ? 0x50000010 : SYS_getuid, 0, 0, 0), again ? -ENOSYS : (long)getuid());
		CHECK_EQ(cave((long)(uintptr_t)main, 0, 0, 0), -ENOSYS);
		CHECK_EQ(constant(0, 0, 0), -ENOSYS);
		CHECK_EQ(call_at(low + 16, 0, 0, 0), 4711);
	}
	say("no such call");
	return 0;
}
