/* jump_writable_half - issue 5: a site whose mov, or whose cave, lies in another page; one of the pages is made
 * writable and changed */
#include "jump.h"

/* Page 0 ends in a mov, page 1 begins with its site and ends in another, whose ret and padding begin page 2. */
asm(".text; .balign 4096; .globl pages; pages: .skip 4091,0x90\n"
	".cfi_startproc; movl $102,%eax; syscall; ret; .cfi_endproc; .skip 4096-3-4,0xc3\n"
	".cfi_startproc; movl %edi,%eax; syscall; ret; .cfi_endproc; .p2align 4; ret; .balign 4096");
extern unsigned char pages[3 * 4096];
static unsigned char pristine[3 * 4096];

static void run(long expected)
{
	for (int again = 0; again < 3; again++) {
		CHECK_EQ(call_at(pages + 4091, 0, 0, 0), expected);
		CHECK_EQ(call_at(pages + 2 * 4096 - 4, SYS_getuid, 0, 0), getuid());
		CHECK_EQ(call_at(pages + 2 * 4096 - 4, 500, 0, 0), -ENOSYS);
	}
}

int main(void)
{
	static const int writable[] = { PROT_RW, PROT_RWX };
	memcpy(pristine, pages, sizeof(pristine));
	for (int round = 0; round < 12; round++) {
		unsigned char *one_page = pages + round % 3 * CODE_PAGE, *number = pages + 4092, *padding = pages + 2 * 4096 + 1;
		run(getuid());
		protect(one_page, 1, writable[round % 2]);
		CHECK(memcmp(one_page, pristine + round % 3 * CODE_PAGE, CODE_PAGE) == 0);
		if (round % 3 == 0)
			*number = SYS_getgid;
		if (round % 3 == 2)
			memcpy(padding, "\xb8\x67\x12\x00\x00\xc3", 6); /* mov $4711,%eax; ret */
		if (writable[round % 2] == PROT_RWX)
			run(round % 3 ? getuid() : getgid());
		protect(one_page, 1, PROT_RX);
		run(round % 3 ? getuid() : getgid());
		if (round % 3 == 2)
			CHECK_EQ(call_at(padding, 0, 0, 0), 4711);
		protect(one_page, 1, PROT_RW);
		memcpy(one_page, pristine + round % 3 * CODE_PAGE, CODE_PAGE);
		protect(one_page, 1, PROT_RX);
	}
	say("12 rounds");
	return 0;
}
