/* jump_churn_text - issue 5: the same sites are made writable and back 3,000 times, each called in between; memory
 * does not grow */
#include "jump.h"

CODE_PAGE_OF_CALLS(page, 102);

int main(void)
{
	long early = 0;
	for (int round = 0; round < 3000; round++) {
		if (round == 500)
			early = resident_kb();
		run_page(page, 4);
		run_page(page, 4);
		protect(page, 1, PROT_RW);
		CHECK(page[64 * (round % CALLS)] == 0xb8 && page[64 * (round % CALLS) + 5] == 0x0f);
		protect(page, 1, PROT_RX);
	}
	long late = resident_kb();
	if (late > early + 1024)
		FAIL("resident memory grew from %ld to %ld KiB", early, late);
	say("3000 rounds");
	return 0;
}
