/* jump_text_copied - issue 5: the program moves its own called text to anonymous memory at the same address, as
 * node does for huge pages */
#include "jump.h"

CODE_PAGE_OF_CALLS(page, 102);

static void copy_over(void *temporary)
{
	memcpy(temporary, page, CODE_PAGE);
	CHECK(mmap(page, CODE_PAGE, PROT_RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page);
	memcpy(page, temporary, CODE_PAGE);
	protect(page, 1, PROT_RX);
}

static void move_over(void *temporary)
{
	memcpy(temporary, page, CODE_PAGE);
	protect(temporary, 1, PROT_RX);
	CHECK(mremap(temporary, CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page) == page);
}

int main(void)
{
	for (int round = 0; round < 8; round++) {
		run_page(page, 30 + 2 * round), run_page(page, 30 + 2 * round);
		unsigned char *temporary = map_pages(1, PROT_RW);
		if (round % 2) {
			move_over(temporary);
		} else {
			copy_over(temporary);
			CHECK(munmap(temporary, CODE_PAGE) == 0);
		}
		for (int again = 0; again < 3; again++)
			run_page(page, 40 + 3 * round);
	}
	say("8 copies in place");
	return 0;
}
