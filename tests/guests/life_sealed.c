/* life_sealed - rows 2, 8: called code is sealed by mseal: calls that would take it away are refused, and its
 * sites go on working */
#include "life.h"

enum { MSEAL = 462 };

int main(void)
{
	unsigned char *page = new_sites(PROT_RX), *fresh = fill_sites(map_pages(1, PROT_RW));
	protect(fresh, 1, PROT_RX);
	if (syscall(MSEAL, page, CODE_PAGE, 0) != 0)
		SKIP("no mseal");
	CHECK(syscall(MSEAL, fresh, CODE_PAGE, 0) == 0);
	for (int again = 0; again < 3; again++) {
		run_sites(page);
		run_sites(fresh);
		CHECK(munmap(page, CODE_PAGE) == -1 && errno == EPERM);
		CHECK(mprotect(page, CODE_PAGE, PROT_RW) == -1 && errno == EPERM);
		CHECK(mremap(page, CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, map_pages(1, PROT_NONE)) == MAP_FAILED);
		CHECK(mmap(page, CODE_PAGE, PROT_RX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED && errno == EPERM);
		CHECK(madvise(page, CODE_PAGE, MADV_DONTNEED) == -1 && errno == EPERM);
	}
	run_sites(page);
	say("sealed");
	return 0;
}
