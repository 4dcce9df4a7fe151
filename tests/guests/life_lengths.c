/* life_lengths - row 2: calls that change a page of called code, given a length of 1, change the whole page */
#include "life.h"

int main(void)
{
	unsigned char *page = new_sites(PROT_RX), *copy = map_pages(1, PROT_RW), *other;
	CHECK(mprotect(page, 1, PROT_RW) == 0);
	CHECK(memcmp(page, fill_sites(copy), CODE_PAGE) == 0);
	replace(page);
	say("mprotect");

	page = new_sites(PROT_RX);
	other = map_pages(1, PROT_NONE);
	CHECK(mremap(page, 1, 1, MREMAP_MAYMOVE | MREMAP_FIXED, other) == other);
	CHECK(memcmp(other, copy, CODE_PAGE) == 0);
	run_sites(other);
	CHECK(mmap(page, 1, PROT_RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page);
	run_calls(fill_calls(page));
	say("mremap");

	CHECK(mmap(other, 1, PROT_RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == other);
	run_calls(fill_calls(other));
	say("mmap");

	page = new_sites(PROT_RX);
	CHECK(munmap(page, 1) == 0);
	CHECK(mmap(page, 1, PROT_RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == page);
	run_calls(fill_calls(page));
	say("munmap");

	page = new_sites(PROT_RWX);
	CHECK(madvise(page, 1, MADV_DONTNEED) == 0 && page[SPOT_AFTER] == 0);
	run_calls(fill_calls(page));
	say("madvise");
	return 0;
}
