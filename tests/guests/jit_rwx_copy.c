/* jit_rwx_copy - row 3: copies of called code, with their `mov $nr,%eax`: elsewhere, over other sites, changed
 * after the copy */
#include "life.h"

int main(void)
{
	unsigned char *page = new_sites(PROT_RWX), *text = new_sites(PROT_RX), *other = map_pages(1, PROT_RWX);
	const unsigned char *sources[] = { after_spot(page, 0) - 7, after_spot(text, 0) - 7 };
	for (int round = 0; round < 40; round++) {
		unsigned char *copy = other + 64 * (round % 10) + round % 7;   /* the first four rounds: over nothing */
		memcpy(copy, sources[round % 2], CODE_SIZE);
		CHECK_EQ(call_at(copy, 0, 0, 0), getpid());
		copy[1] = SYS_getuid;
		CHECK_EQ(call_at(copy, 0, 0, 0), getuid());
		memcpy(copy + 17, copy, CODE_SIZE);
		CHECK_EQ(call_at(copy + 17, 0, 0, 0), getuid());
		memset(copy, 0xcc, CODE_SIZE);
		run_sites(page);
		run_sites(text);
	}
	memcpy(other, text, CODE_PAGE);   /* the whole page: its even spots load their numbers */
	protect(other, 1, PROT_RX);
	for (int i = 0; i < SPOTS; i += 2)
		run_site(after_spot(other, i), false);
	say("copies");
	return 0;
}
