/* life_map_over - row 2: other code is mapped over called code: anonymous memory, and files that nobody writes there */
#include "life.h"

static int new_file(void *fill(unsigned char *))
{
	unsigned char page[CODE_PAGE];
	int fd = memfd_create("code", MFD_CLOEXEC);
	CHECK(fd >= 0 && write(fd, fill(page), CODE_PAGE) == CODE_PAGE);
	return fd;
}

int main(void)
{
	static const int kinds[] = { MAP_PRIVATE, MAP_SHARED };
	int calls = new_file(fill_calls), sites = new_file(fill_sites);
	unsigned char *page = new_sites(PROT_RX);
	replace(map_again(page));
	say("anonymous memory");
	for (int round = 0; round < 4; round++) {
		int kind = kinds[round % 2];
		CHECK(mmap(page, CODE_PAGE, PROT_RX, MAP_FIXED | kind, sites, 0) == page);
		run_sites(page);
		CHECK(mmap(page, CODE_PAGE, PROT_RX, MAP_FIXED | kind, calls, 0) == page);
		run_calls(page);
		CHECK(mmap(page, CODE_PAGE, PROT_RX, MAP_FIXED | MAP_PRIVATE, sites, 0) == page);
		run_sites(page);
		CHECK(mmap(page, CODE_PAGE, PROT_RX, MAP_FIXED | kind, calls, 0) == page);
		run_calls(page);
	}
	say("files");
	return 0;
}
