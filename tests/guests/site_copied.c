/* site_copied - row 3: the program copies its own called code elsewhere and runs the copy */
#include "code.h"

int main(void)
{
	unsigned char *page = map_pages(2, PROT_RWX), *other = map_pages(1, PROT_RW);
	put_call(page, SYS_getuid);
	for (int again = 0; again < 3; again++)
		CHECK_EQ(call_at(page, 0, 0, 0), getuid());
	for (int i = 1; i < 20; i++)
		memcpy(page + 61 * i, page, CODE_SIZE);
	memcpy(other + 4000, page, CODE_SIZE);
	protect(other, 1, PROT_RX);
	for (int again = 0; again < 3; again++) {
		for (int i = 1; i < 20; i++)
			CHECK_EQ(call_at(page + 61 * i, 0, 0, 0), getuid());
		CHECK_EQ(call_at(other + 4000, 0, 0, 0), getuid());
	}
	say("20 copies called");
	return 0;
}
