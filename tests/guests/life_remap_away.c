/* life_remap_away - row 2: called code is moved: it works at its new place, and other code may be at the old one */
#include "life.h"

int main(void)
{
	static const int protections[] = { PROT_RX, PROT_RWX };
	for (size_t i = 0; i < COUNT_OF(protections); i++) {
		unsigned char *page = new_sites(protections[i]), *place = map_pages(1, PROT_NONE);
		CHECK(mremap(page, CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place);
		run_sites(place);
		say("called at the new place");
		replace(map_again(page));
		run_sites(place);
		say("other code at the old place");
		CHECK(mremap(place, CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page) == page);
		run_sites(page);
		say("called after the move back");
		replace(map_again(place));
	}
	return 0;
}
