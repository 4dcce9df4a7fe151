/* life_fails - row 2: memory calls on called code that the kernel refuses, or makes for a part only, leave its
 * sites working */
#include "life.h"
#include <sys/shm.h>

int main(void)
{
	unsigned char *code = map_pages(3, PROT_RW), *page = code + CODE_PAGE;
	fill_sites(code);
	fill_sites(page);
	protect(code, 3, PROT_RX);
	CHECK(munmap(page + CODE_PAGE, CODE_PAGE) == 0);   /* nothing behind the two pages */
	for (int again = 0; again < 3; again++) {
		run_sites(page);
		CHECK(munmap(page + 1, CODE_PAGE) == -1 && mprotect(page, CODE_PAGE, 0x10000000) == -1);
		CHECK(munmap(page, 0) == -1 && mprotect(page + 1, CODE_PAGE, PROT_RW) == -1);
		CHECK(madvise(page, CODE_PAGE, 12345) == -1 && madvise(page + 1, 1, MADV_DONTNEED) == -1);
		CHECK(mmap(page, CODE_PAGE, PROT_RX, MAP_PRIVATE | MAP_FIXED, -1, 0) == MAP_FAILED && errno == EBADF);
		CHECK(mmap(page, CODE_PAGE, PROT_RX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED);
		CHECK(mremap(page, 2 * CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page) == MAP_FAILED);
		CHECK(mremap(page, CODE_PAGE, 1UL << 60, MREMAP_MAYMOVE) == MAP_FAILED);
		CHECK(shmat(-1, page, SHM_EXEC | SHM_REMAP) == (void *)-1 && shmdt(page) == -1);
		run_sites(page);
		run_sites(code);
	}
	say("refused");
	CHECK(mprotect(code, 3 * CODE_PAGE, PROT_RW) == -1 && errno == ENOMEM);   /* the two pages are writable now */
	protect(code, 2, PROT_RX);
	run_sites(code);
	CHECK(madvise(page, 2 * CODE_PAGE, MADV_DONTNEED) == -1 && errno == ENOMEM && page[SPOT_AFTER] == 0);
	replace(page);
	run_sites(code);
	say("made for a part");
	return 0;
}
