/* jump_around_stubs - issue 5, row 24: a program unmaps and fills all free addresses around its code, in ranges
 * that may hold anything of the agent's; its calls go on, and fresh ones work */
#include "jump.h"

CODE_PAGE_OF_CALLS(image, 102);
enum { MIB = 1 << 20, AREA = 512 * MIB };

int main(void)
{
	unsigned char *area = mmap(NULL, AREA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED)
		SKIP("no %d MiB of addresses", AREA / MIB);
	unsigned char *page = file_code(code_file(image, CODE_PAGE), 1, area + AREA / 2, MAP_FIXED);
	CHECK(munmap(area, AREA / 2) == 0 && munmap(page + CODE_PAGE, AREA / 2 - CODE_PAGE) == 0);
	for (int round = 0; round < 8; round++) {
		run_page(page, 8 * round + 8), run_page(page, 8 * round + 8);
		CHECK(munmap(area, AREA / 2) == 0 && munmap(page + CODE_PAGE, AREA / 2 - CODE_PAGE) == 0);
		for (unsigned char *p = area; p < area + AREA; p += 64 * MIB) {
			void *got = mmap(p, 64 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
			CHECK(got == MAP_FAILED ? errno == EEXIST || errno == ENOMEM : got == p);
		}
		run_page(page, 8 * round + 8);
	}
	run_page(page, CALLS);
	say("8 rounds");
	return 0;
}
