/* site_write_xor_execute - rows 2, 7 and 8: W^X: a page goes from writable to executable and back, with other code each time */
#include "code.h"

int main(void)
{
	unsigned char *page = map_pages(1, PROT_RX);
	for (int round = 0; round < 300; round++) {
		protect(page, 1, PROT_RW);
		memset(page, 0xcc, CODE_PAGE);
		unsigned char *code = page + round % 11;
		if (round % 3 == 2) /* data that looks like a rewritten site */
			memcpy(code, "\x90\x90\x90\x90\xb8\xff\xd0\x0f\x05\xc3", 10);
		else
			put_call(code, round % 3 ? SYS_getuid : 700);
		protect(page, 1, PROT_RX);
		for (int again = 0; again < 3; again++)
			CHECK_EQ(call_at(code, 0, 0, 0),
				round % 3 == 2 ? 0x050fd0ff : round % 3 ? (long)getuid() : -ENOSYS);
	}
	say("300 rounds");
	return 0;
}
