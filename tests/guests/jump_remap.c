/* jump_remap - issue 5, row 2: called code in a file's mapping is unmapped, mapped again at its address, moved,
 * mapped over */
#include "jump.h"

CODE_PAGE_OF_CALLS(image, 102);

int main(void)
{
	static unsigned char other[CODE_PAGE];
	memcpy(other, image, CODE_PAGE);
	for (int i = 0; i < CALLS; i++)
		other[64 * i + 1] = SYS_getgid;
	int fd = code_file(image, CODE_PAGE), other_fd = code_file(other, CODE_PAGE);
	unsigned char *page = file_code(fd, 1, NULL, 0);
	for (int round = 0; round < 20; round++) {
		int some = round * 13 % CALLS + 1;
		run_page(page, some), run_page(page, some);
		CHECK(munmap(page, CODE_PAGE) == 0);
		file_code(fd, 1, page, MAP_FIXED_NOREPLACE);
		run_page(page, CALLS);
		file_code(other_fd, 1, page, MAP_FIXED); /* other numbers at the same places */
		for (int again = 0; again < 2; again++)
			for (int i = 0; i < CALLS; i++)
				CHECK_EQ(mov_in(page, i, 0, 0, 0), getgid());
		file_code(fd, 1, page, MAP_FIXED);
		run_page(page, some), run_page(page, some);
		unsigned char *place = map_pages(1, PROT_NONE);
		CHECK(mremap(page, CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place);
		run_page(place, CALLS);
		if (round % 2)
			file_code(other_fd, 1, page, MAP_FIXED_NOREPLACE); /* the old place is somebody else's */
		run_page(place, CALLS);
		page = place;
	}
	say("20 rounds");
	return 0;
}
