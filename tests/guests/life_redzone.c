/* life_redzone - rows 2, 5: where a plain site was, code comes that keeps data below the stack pointer over its call:
 * by a change of protection, by a new mapping, and by stores into the bytes around the site alone */
#include "life.h"

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
	static const char *const names[] = { "mprotect", "mmap", "stores while writable" };
	for (int way = 0; way < 3; way++) {
		unsigned char *page = memset(map_pages(1, PROT_RW), 0xcc, CODE_PAGE), *code = page + 512;
		put_code(code, false);
		protect(page, 1, PROT_RX);
		for (long round = 0; round < 6; round++) {
			bool keeps = round % 2;
			if (way == 1)
				memset(map_again(page), 0xcc, CODE_PAGE);
			protect(page, 1, PROT_RW);
			(way < 2 ? put_code : change_around)(code, keeps);
			protect(page, 1, PROT_RX);
			for (long again = 0; again < 3; again++)
				CHECK_EQ(call_at(code, 0x1234567890 + again, 0, 0), keeps ? 0x1234567890 + again : getpid());
		}
		say("%s", names[way]);
	}
	return 0;
}
