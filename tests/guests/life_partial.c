/* life_partial - row 2: one of several pages of called code is replaced, in each way; the sites of the others stay */
#include "life.h"

enum { PAGES = 4 };

static void change(int way, unsigned char *page)
{
	if (way == 0)
		CHECK(munmap(page, CODE_PAGE) == 0);
	if (way == 1)
		CHECK(mremap(map_pages(1, PROT_RW), CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page) == page);
	if (way == 2)
		CHECK(madvise(page, CODE_PAGE, MADV_DONTNEED) == 0);
	if (way < 1 || way == 3)
		map_again(page);
	replace(page);
}

int main(void)
{
	for (int way = 0; way < 5; way++) {
		unsigned char *code = map_pages(PAGES, PROT_RW);
		for (int i = 0; i < PAGES; i++)
			fill_sites(code + i * CODE_PAGE);
		protect(code, PAGES, PROT_RX);
		for (int replaced = 0; replaced <= PAGES; replaced++) {   /* the third, the second, the first, the fourth */
			for (int i = 0; i < PAGES; i++) {
				bool is_replaced = (PAGES + 2 - i) % PAGES < replaced;
				(is_replaced ? run_calls : run_sites)(code + i * CODE_PAGE);
			}
			if (replaced < PAGES)
				change(way, code + (PAGES + 2 - replaced) % PAGES * CODE_PAGE);
		}
		say("way %d", way);
	}
	return 0;
}
