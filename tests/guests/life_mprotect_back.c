/* life_mprotect_back - rows 1, 2: called code is made writable or unreachable and back without a change: it still
 * works */
#include "life.h"

int main(void)
{
	static const int protections[] = { PROT_RW, PROT_RWX, PROT_NONE, PROT_READ, PROT_WRITE };
	for (size_t i = 0; i < COUNT_OF(protections); i++) {
		unsigned char *page = new_sites(PROT_RX);
		for (int round = 0; round < 5; round++) {
			protect(page, 1, protections[i]);
			protect(page, 1, PROT_RX);
			run_sites(page);
		}
		protect(page, 1, PROT_RWX);
		run_sites(page);   /* while it is writable */
	}
	say("called after each change of protection");
	return 0;
}
