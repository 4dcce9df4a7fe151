/* life_brk - row 2: called code in memory of brk, which shrinks and grows again */
#include "life.h"

int main(void)
{
	uintptr_t end = ((uintptr_t)sbrk(0) + 0xffff) & ~0xfffful;
	unsigned char *page = (unsigned char *)end;
	for (int round = 0; round < 3; round++) {
		CHECK(brk(page + 2 * CODE_PAGE) == 0 && page[SPOT_AFTER] == 0);
		fill_sites(page);
		fill_sites(page + CODE_PAGE);
		protect(page, 2, round == 2 ? PROT_RWX : PROT_RX);
		run_sites(page);
		run_sites(page + CODE_PAGE);
		CHECK(brk(page + CODE_PAGE) == 0);
		run_sites(page);
		CHECK(brk(page) == 0 && brk(page + 2 * CODE_PAGE) == 0 && page[SPOT_AFTER] == 0);
		replace(page);
		replace(page + CODE_PAGE);
		CHECK(brk(page) == 0);
	}
	say("shrunk and grown");
	return 0;
}
