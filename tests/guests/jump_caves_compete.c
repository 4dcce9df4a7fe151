/* jump_caves_compete - issue 5, cave: five sites, three, two, that all reach one gap of 5 to 15 bytes; each call
 * with its own result */
#include "jump.h"

/* Five functions of 5 bytes (`mov %edi,%eax; syscall; ret`), a gap up to the next multiple of 16, three behind it. */
#define SITE "movl %edi,%eax; syscall; ret; "
#define GROUP(gap) asm(".text; .p2align 4; .skip (16-25-" #gap ")&15,0xc3; .globl group_" #gap "; group_" #gap ": " \
	".cfi_startproc; " SITE SITE SITE SITE SITE ".cfi_endproc; .p2align 4\n" \
	".cfi_startproc; " SITE SITE SITE ".cfi_endproc; .byte 0xc3"); extern unsigned char group_##gap[]
GROUP(5); GROUP(6); GROUP(7); GROUP(8); GROUP(9); GROUP(10); GROUP(11); GROUP(12); GROUP(13); GROUP(14); GROUP(15);

int main(void)
{
	static unsigned char *const groups[] = { group_5, group_6, group_7, group_8, group_9, group_10, group_11, group_12,
		group_13, group_14, group_15 };
	for (int again = 0; again < 30; again++)
		for (int g = 0; g < 11; g++)
			for (int i = 0; i < 8; i++) {
				int turn = (i + g) % 8; /* who comes first */
				unsigned char *code = groups[g] + 5 * turn + (turn >= 5 ? g + 5 : 0);
				if (turn % 3 == 0)
					CHECK_EQ(call_at(code, SYS_getuid, 0, 0), getuid());
				else if (turn % 3 == 1)
					CHECK_EQ(call_at(code, 500 + turn, 0, 0), -ENOSYS);
				else
					CHECK_EQ(call_at(code, -(1L << 32) | SYS_getgid, 0, 0), getgid());
			}
	say("88 sites called");
	return 0;
}
