/* jump_no_room - issue 5: code with nothing but reserved addresses for 2 GiB on both sides, before its first call
 * and after it */
#include "jump.h"

CODE_PAGE_OF_CALLS(image, 102);
enum { GIB = 1 << 30 };

int main(void)
{
	const size_t size = 6UL * GIB;
	unsigned char *area = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), *page;
	if (area == MAP_FAILED)
		SKIP("no 6 GiB of addresses");
	int fd = code_file(image, CODE_PAGE);
	for (int round = 0; round < 4; round++) {
		page = file_code(fd, 1, area + 3UL * GIB + (uintptr_t)round * CODE_PAGE * 3, MAP_FIXED);
		for (int again = 0; again < 3; again++)
			run_page(page, CALLS / 2);
	}
	CHECK(munmap(area + GIB, GIB) == 0); /* now there is room; for these, and for fresh ones */
	for (int again = 0; again < 3; again++)
		run_page(page, CALLS);
	CHECK(mmap(area + GIB, GIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED);
	page = file_code(fd, 1, area + 3UL * GIB + 64 * CODE_PAGE, MAP_FIXED);
	for (int again = 0; again < 3; again++)
		run_page(page, CALLS);
	CHECK(munmap(area, GIB) == 0 && munmap(area + 2UL * GIB, 4UL * GIB) == 0);
	say("called without room around");
	return 0;
}
