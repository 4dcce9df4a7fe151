/* jump_open_half - issue 5: a site in a page that the program can't write, its mov, or its cave, in one that it can: it
 * has its own bytes there, and changes them between calls */
#include "jump.h"

/* Page 0 ends in a mov, page 1 begins with its site and ends in another, whose ret and padding begin page 2. */
asm(".text; .balign 4096; .globl pages; pages: .skip 4091,0x90\n"
	".cfi_startproc; movl $102,%eax; syscall; ret; .cfi_endproc; .skip 4096-3-4,0xc3\n"
	".cfi_startproc; movl %edi,%eax; syscall; ret; .cfi_endproc; .p2align 4; ret; .balign 4096");
extern unsigned char pages[3 * 4096];

int main(void)
{
	unsigned char *number = pages + 4092, *padding = pages + 2 * 4096 + 1;
	unsigned char before[3 * 4096];
	memcpy(before, pages, sizeof(before));
	protect(pages, 1, PROT_RWX);
	protect(pages + 2 * 4096, 1, PROT_RWX);
	for (int round = 0; round < 4; round++) {
		for (int again = 0; again < 3; again++) {
			CHECK_EQ(call_at(pages + 4091, 0, 0, 0), getuid());
			CHECK_EQ(call_at(pages + 2 * 4096 - 4, SYS_getuid, 0, 0), getuid());
			CHECK_EQ(call_at(pages + 2 * 4096 - 4, 500, 0, 0), -ENOSYS);
		}
		CHECK(memcmp(pages, before, 4096) == 0 && memcmp(pages + 2 * 4096, before + 2 * 4096, 4096) == 0);
		*number = SYS_getppid;
		CHECK_EQ(call_at(pages + 4091, 0, 0, 0), getppid());
		*number = SYS_getuid;
		memcpy(padding, "\xb8\x67\x12\x00\x00\xc3", 6); /* mov $4711,%eax; ret */
		CHECK_EQ(call_at(padding, 0, 0, 0), 4711);
		CHECK_EQ(call_at(pages + 2 * 4096 - 4, SYS_getuid, 0, 0), getuid());
		memcpy(padding, before + 2 * 4096 + 1, 6);
	}
	say("4 rounds");
	return 0;
}
