/* life_inside - rows 2, 20: where a site was, its bytes are later inside another instruction, and a site again; each
 * time the outer instruction is intact, and a jump to the inner bytes does what they say */
#include "life.h"

/* mov $number,%eax; ret - with the bytes of a system call, or of call *%rax, and a ret in the number. */
static void put_inside(unsigned char *after, const char *inner)
{
	memcpy(after - 3, "\xb8", 1);
	memcpy(after - 2, inner, 2);
	memcpy(after, "\xc3\x00\xc3", 3);
}

static long jump_to(unsigned char *code, long rax)
{
	long result;
	asm volatile("call *%1" : "=a"(result) : "r"(code), "0"(rax) : "rcx", "r11", "memory");
	return result;
}

static long answer(void)
{
	return 4712;
}

int main(void)
{
	unsigned char *page = new_sites(PROT_RX);
	for (int round = 0; round < 3; round++) {
		protect(page, 1, PROT_RW);
		memset(page, 0xcc, CODE_PAGE);
		for (int i = 0; i < SPOTS; i++)
			put_inside(after_spot(page, i), i % 3 ? "\x0f\x05" : "\xff\xd0");
		protect(page, 1, PROT_RX);
		for (int again = 0; again < 3; again++)
			for (int i = 0; i < SPOTS; i++) {
				unsigned char *after = after_spot(page, i);
				CHECK_EQ(call_at(after - 3, 0, 0, 0), i % 3 ? 0x00c3050f : 0x00c3d0ff);
				if (i % 3)
					CHECK_EQ(jump_to(after - 2, SYS_getpid), getpid());
				else
					CHECK_EQ(jump_to(after - 2, (long)(uintptr_t)answer), 4712);
				CHECK_EQ(call_at(after - 3, 0, 0, 0), i % 3 ? 0x00c3050f : 0x00c3d0ff);
			}
		protect(page, 1, PROT_RW);
		fill_sites(page);
		protect(page, 1, PROT_RX);
		run_sites(page);
	}
	say("3 rounds");
	return 0;
}
