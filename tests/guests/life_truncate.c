/* life_truncate - row 2: the file behind called code is cut off and written anew: a private mapping loses its own
 * pages, too */
#include "life.h"

int main(void)
{
	unsigned char file[CODE_PAGE];
	int fd = memfd_create("code", MFD_CLOEXEC);
	CHECK(fd >= 0 && pwrite(fd, fill_sites(file), CODE_PAGE, 0) == CODE_PAGE);
	unsigned char *page = mmap(NULL, CODE_PAGE, PROT_RX, MAP_PRIVATE, fd, 0);
	CHECK(page != MAP_FAILED);
	run_sites(page);
	for (int round = 0; round < 3; round++) {
		CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, fill_calls(file), CODE_PAGE, 0) == CODE_PAGE);
		run_calls(page);
		CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, fill_sites(file), CODE_PAGE, 0) == CODE_PAGE);
		run_sites(page);
	}
	say("cut off 6 times");
	return 0;
}
