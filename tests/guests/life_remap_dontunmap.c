/* life_remap_dontunmap - row 2: called code is moved, its old place stays mapped and is empty */
#include "life.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

int main(void)
{
	static const int protections[] = { PROT_RX, PROT_RWX };
	for (size_t i = 0; i < COUNT_OF(protections); i++) {
		unsigned char *page = new_sites(protections[i]);
		unsigned char *moved = mremap(page, CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
		if (moved == MAP_FAILED && errno == EINVAL)
			SKIP("no MREMAP_DONTUNMAP");
		CHECK(moved != MAP_FAILED && page[SPOT_AFTER] == 0);
		run_sites(moved);
		if (protections[i] == PROT_RX)
			protect(page, 1, PROT_RW);
		fill_calls(page);
		if (protections[i] == PROT_RX)
			protect(page, 1, PROT_RX);
		run_calls(page);
		run_sites(moved);
	}
	say("called at both places");
	return 0;
}
