/* jit_rwx_calls - row 2: plain stores put other code in the place of sites, and sites there again, in memory that
 * stays writable */
#include "life.h"

int main(void)
{
	unsigned char *page = new_sites(PROT_RWX);
	for (int round = 0; round < 10; round++) {
		fill_calls(page);
		run_calls(page);
		fill_sites(page);
		run_sites(page);
		for (int i = 0; i < SPOTS; i++) {   /* one at a time, the others stay */
			put_own(after_spot(page, i), (i + round) % OWN_CALLS);
			run_own(after_spot(page, i), (i + round) % OWN_CALLS);
		}
		fill_sites(page);
		run_sites(page);
	}
	say("10 rounds");
	return 0;
}
