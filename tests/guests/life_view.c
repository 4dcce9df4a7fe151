/* life_view - row 8: called code that is made writable, and not executable, reads as the program has written it */
#include "life.h"

int main(void)
{
	unsigned char written[CODE_PAGE];
	unsigned char *page = new_sites(PROT_RX), *copy = map_pages(1, PROT_RW);
	fill_sites(written);
	for (int round = 0; round < 5; round++) {
		protect(page, 1, PROT_RW);
		for (int i = 0; i < SPOTS; i++)
			if (memcmp(after_spot(page, i) - 2, "\x0f\x05", 2) != 0)
				FAIL("round %d, site %d reads %02x %02x", round, i, after_spot(page, i)[-2], after_spot(page, i)[-1]);
		CHECK(memcmp(page, written, CODE_PAGE) == 0);
		memcpy(copy, page, CODE_PAGE);
		protect(page, 1, PROT_RX);
		run_sites(page);
		protect(copy, 1, PROT_RX);
		run_sites(copy);
		protect(copy, 1, PROT_RW);
	}
	say("reads as written");
	return 0;
}
