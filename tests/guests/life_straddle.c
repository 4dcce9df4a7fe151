/* life_straddle - rows 2, 6: only one of the two pages is replaced, and sites lie across their border, right
 * before and right after it */
#include "life.h"

enum { WAYS = 4 };

/* Where the site ends, from the border on: 0 and below it lies before it, at 1 across, from 2 on behind. */
static const int ends[] = { -1, 0, 1, 2, 3 };

static void change(int way, unsigned char *page)
{
	if (way == 0)
		CHECK(munmap(page, CODE_PAGE) == 0);
	if (way == 1)
		CHECK(madvise(page, CODE_PAGE, MADV_DONTNEED) == 0);
	if (way < 1 || way == 2)
		map_again(page);
	protect(page, 1, PROT_RW);
}

int main(void)
{
	static unsigned char kept[2][CODE_PAGE];
	for (int round = 0; round < 2 * WAYS * (int)COUNT_OF(ends) * OWN_CALLS; round++) {
		int way = round % WAYS, end = ends[round / WAYS % COUNT_OF(ends)], which = round / 2 % OWN_CALLS;
		bool second = round / WAYS / COUNT_OF(ends) % 2, by_register = round % 2;
		unsigned char *code = map_pages(2, PROT_RW), *border = code + CODE_PAGE, *after = border + end;
		memset(code, 0xcc, 2 * CODE_PAGE);
		put_site(after, by_register);
		protect(code, 2, PROT_RX);
		run_site(after, by_register);
		run_site(after, by_register);
		change(way, second ? border : code);   /* the same bytes again in this page */
		memset(kept, 0xcc, sizeof(kept));
		put_site(kept[1] + end, by_register);
		memcpy(second ? border : code, kept[second], CODE_PAGE);
		protect(code, 2, PROT_RX);
		run_site(after, by_register);
		run_site(after, by_register);
		protect(second ? border : code, 1, PROT_RW);   /* and now other code */
		if (second ? end >= 1 : end <= 1)
			protect(code, 2, PROT_RW);
		else
			protect(code, 2, PROT_RWX);
		put_own(after, which);
		protect(code, 2, PROT_RX);
		run_own(after, which);
		run_own(after, which);
		CHECK(munmap(code, 2 * CODE_PAGE) == 0);
	}
	say("%d sites", 2 * WAYS * (int)COUNT_OF(ends) * OWN_CALLS);
	return 0;
}
