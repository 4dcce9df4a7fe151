/* jit_rwx_redzone - rows 2, 5: in memory that stays writable, code around a called site is changed alone, and now keeps
 * data below the stack pointer over the call */
#include "code.h"

/* mov %rdi,-8(%rsp), or nothing; mov $getpid,%eax; syscall; mov -8(%rsp),%rax, or nothing; ret */
static void put_code(unsigned char *code, bool keeps)
{
	memcpy(code, keeps ? "\x48\x89\x7c\x24\xf8" : "\x90\x90\x90\x90\x90", 5);
	put_call(code + 5, SYS_getpid);
	memcpy(code + 12, keeps ? "\x48\x8b\x44\x24\xf8" : "\x90\x90\x90\x90\x90", 5);
	code[17] = 0xc3;
}

static void change_around(unsigned char *code, bool keeps)
{
	memcpy(code, keeps ? "\x48\x89\x7c\x24\xf8" : "\x90\x90\x90\x90\x90", 5);
	memcpy(code + 12, keeps ? "\x48\x8b\x44\x24\xf8" : "\x90\x90\x90\x90\x90", 5);
}

int main(void)
{
	unsigned char *page = memset(map_pages(1, PROT_RWX), 0xcc, CODE_PAGE), *code = page + 512;
	put_code(code, false);
	for (long round = 0; round < 6; round++) {
		change_around(code, round % 2);
		for (long again = 0; again < 3; again++)
			CHECK_EQ(call_at(code, 0x1234567890 + again, 0, 0), round % 2 ? 0x1234567890 + again : getpid());
	}
	say("6 rounds");
	return 0;
}
