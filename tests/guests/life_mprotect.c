/* life_mprotect - row 2: called code is made writable, replaced, and made executable again, by mprotect and
 * pkey_mprotect */
#include "life.h"

static void protect_by(int way, unsigned char *page, int protection)
{
	if (way == 0)
		CHECK(mprotect(page, CODE_PAGE, protection) == 0);
	else
		CHECK(raw6(SYS_pkey_mprotect, (long)page, CODE_PAGE, protection, -1, 0, 0) == 0);
}

int main(void)
{
	static const int writable[] = { PROT_RW, PROT_RWX, PROT_WRITE };
	for (int way = 0; way < 2; way++)
		for (size_t i = 0; i < COUNT_OF(writable); i++) {
			unsigned char *page = new_sites(PROT_RX);
			for (int round = 0; round < 3; round++) {
				protect_by(way, page, writable[i]);
				fill_calls(page);
				protect_by(way, page, PROT_RX);
				run_calls(page);
				protect_by(way, page, writable[i]);
				fill_sites(page);
				protect_by(way, page, PROT_RX);
				run_sites(page);
			}
			say("%s %zu", way ? "pkey_mprotect" : "mprotect", i);
		}
	return 0;
}
