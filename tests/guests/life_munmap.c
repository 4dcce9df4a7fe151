/* life_munmap - row 2: called code is unmapped, and other code mapped at its place calls NULL where it had its sites */
#include "life.h"

int main(void)
{
	static const int protections[] = { PROT_RX, PROT_RWX };
	for (size_t i = 0; i < COUNT_OF(protections); i++) {
		unsigned char *page = new_sites(protections[i]);
		for (int round = 0; round < 3; round++) {
			CHECK(munmap(page, CODE_PAGE) == 0);
			fill_calls(map_again(page));
			protect(page, 1, protections[i]);
			run_calls(page);
			CHECK(munmap(page, CODE_PAGE) == 0);
			fill_sites(map_again(page));
			protect(page, 1, protections[i]);
			run_sites(page);
		}
	}
	say("calls after munmap");
	return 0;
}
