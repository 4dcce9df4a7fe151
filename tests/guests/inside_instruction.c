/* inside_instruction - row 20: the bytes of a syscall inside a mov, jumped into; the mov is intact afterwards */
#include "code.h"

int main(void)
{
	unsigned char *page = map_pages(1, PROT_RW);
	/* 0: mov $0x90c3050f,%eax; ret - at +1: syscall; ret */
	memcpy(page, "\xb8\x0f\x05\xc3\x90\xc3", 6);
	protect(page, 1, PROT_RX);
	for (int again = 0; again < 10; again++) {
		long result;
		CHECK_EQ(call_at(page, 0, 0, 0), 0x90c3050f);
		asm volatile("call *%1" : "=a"(result) : "r"(page + 1), "0"(102L) : "rcx", "r11", "memory");
		CHECK_EQ(result, getuid());
		CHECK_EQ(call_at(page, 0, 0, 0), 0x90c3050f);
		CHECK(memcmp(page, "\xb8\x0f\x05\xc3\x90\xc3", 6) == 0);
	}
	say("the outer instruction is intact");
	return 0;
}
