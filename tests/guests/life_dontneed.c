/* life_dontneed - row 2: MADV_DONTNEED empties called code in anonymous memory, and gives the file's code back in
 * a private mapping */
#include "life.h"

int main(void)
{
	unsigned char file[CODE_PAGE], *page;
	int fd = memfd_create("code", MFD_CLOEXEC);
	for (int round = 0; round < 2; round++) {
		page = new_sites(round ? PROT_RWX : PROT_RX);
		CHECK(madvise(page, CODE_PAGE, MADV_DONTNEED) == 0 && page[SPOT_AFTER] == 0);
		if (round)
			fill_calls(page);
		else
			replace(page);
		run_calls(page);
		say("anonymous memory, %s", round ? "writable" : "protected");
	}
	CHECK(fd >= 0 && write(fd, fill_sites(file), CODE_PAGE) == CODE_PAGE);
	page = mmap(NULL, CODE_PAGE, PROT_RX, MAP_PRIVATE, fd, 0);
	CHECK(page != MAP_FAILED);
	for (int round = 0; round < 3; round++) {
		CHECK(pwrite(fd, fill_sites(file), CODE_PAGE, 0) == CODE_PAGE && madvise(page, CODE_PAGE, MADV_DONTNEED) == 0);
		run_sites(page);
		CHECK(madvise(page, CODE_PAGE, MADV_DONTNEED) == 0 && memcmp(page, file, CODE_PAGE) == 0);
		run_sites(page);
		CHECK(pwrite(fd, fill_calls(file), CODE_PAGE, 0) == CODE_PAGE && madvise(page, CODE_PAGE, MADV_DONTNEED) == 0);
		run_calls(page);
	}
	say("private file");
	return 0;
}
