/* site_moved - row 2: mremap moves called code elsewhere; sites go on working at the new address */
#include "code.h"

int main(void)
{
	unsigned char *page = map_pages(1, PROT_RW);
	for (int i = 0; i < 20; i++)
		put_call(page + 61 * i, SYS_getuid);
	protect(page, 1, PROT_RX);
	for (int move = 0; move < 5; move++) {
		for (int again = 0; again < 2; again++)
			for (int i = 0; i < 10 + move; i++) /* the others are first called after a move */
				CHECK_EQ(call_at(page + 61 * i, 0, 0, 0), getuid());
		unsigned char *place = map_pages(1, PROT_NONE);
		CHECK(mremap(page, CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place);
		page = place;
	}
	say("5 moves");
	return 0;
}
