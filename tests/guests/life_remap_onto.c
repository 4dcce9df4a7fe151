/* life_remap_onto - row 2: other code is moved onto called code, and called code onto that */
#include "life.h"

int main(void)
{
	unsigned char *page = new_sites(PROT_RX);
	for (int round = 0; round < 3; round++) {
		unsigned char *calls = fill_calls(map_pages(1, PROT_RW)), *sites;
		protect(calls, 1, PROT_RX);
		CHECK(mremap(calls, CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page) == page);
		run_calls(page);
		say("other code onto sites");
		sites = new_sites(round ? PROT_RWX : PROT_RX);
		CHECK(mremap(sites, CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page) == page);
		run_sites(page);
		say("sites onto other code");
	}
	return 0;
}
