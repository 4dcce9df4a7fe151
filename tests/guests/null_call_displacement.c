/* null_call_displacement - row 9: a call through a NULL in memory whose displacement ends in the bytes of `syscall` */
#include "life.h"

static long table[1];

int main(void)
{
	/* mov $39,%eax; call *0x050f0000(%rdi); ret */
	static const char code[] = "\xb8\x27\x00\x00\x00\xff\x97\x00\x00\x0f\x05\xc3";
	unsigned char *page = map_pages(1, PROT_RW);
	memcpy(page, code, sizeof(code) - 1);
	protect(page, 1, PROT_RX);
	handle(SIGSEGV, on_fault, 0);
	for (int again = 0; again < 3; again++) {
		expect_fault(page, (uintptr_t)table - 0x050f0000, SEGV_MAPERR, 0, 0);
		CHECK_EQ(fault.slot, page + sizeof(code) - 2);
		say_fault("call", NULL);
	}
	table[0] = (long)(uintptr_t)own_target;
	CHECK_EQ(call_at(page, (long)table - 0x050f0000, 0, 0), 4711);
	return 0;
}
