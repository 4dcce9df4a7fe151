/* site_self_modifying - row 2: writable code changes the number, and the site itself, in place */
#include "code.h"

int main(void)
{
	unsigned char *page = map_pages(1, PROT_RWX);
	for (int round = 0; round < 100; round++) {
		put_call(page, SYS_getuid);
		CHECK_EQ(call_at(page, 0, 0, 0), getuid());
		page[1] = 0xf4; /* only the number: 500 */
		page[2] = 0x01;
		CHECK_EQ(call_at(page, 0, 0, 0), -ENOSYS);
		memcpy(page + 5, "\x90\x90\xc3", 3); /* no call any more: mov $500,%eax */
		CHECK_EQ(call_at(page, 0, 0, 0), 500);
	}
	say("100 rounds");
	return 0;
}
