/* jit_huge_advised - rows 2, 7: code in transparent huge pages, collapsed again after it was called, and partly
 * given back */
#include "life.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
enum { HUGE = 2 << 20, PAGES = HUGE / CODE_PAGE, USED = 8 };

int main(void)
{
	unsigned char *all = map_pages(3 * PAGES, PROT_NONE);
	unsigned char *code = (unsigned char *)(((uintptr_t)all + HUGE - 1) & -(uintptr_t)HUGE);
	protect(code, 2 * PAGES, PROT_RW);
	if (madvise(code, 2 * HUGE, MADV_HUGEPAGE) != 0)
		SKIP("no transparent huge pages");
	for (int round = 0; round < 3; round++) {
		memset(code, 0xcc, 2 * HUGE);
		for (int i = 0; i < USED; i++)
			fill_sites(code + 97 * i * CODE_PAGE);
		put_site(code + HUGE + 1, round % 2);
		protect(code, 2 * PAGES, round == 2 ? PROT_RWX : PROT_RX);
		for (int i = 0; i < USED; i++)
			run_sites(code + 97 * i * CODE_PAGE);
		for (int again = 0; again < 3; again++)
			run_site(code + HUGE + 1, round % 2);
		madvise(code, 2 * HUGE, MADV_COLLAPSE);   /* may fail */
		for (int i = 0; i < USED; i++)
			run_sites(code + 97 * i * CODE_PAGE);
		for (int i = 0; i < USED; i += 2) {
			CHECK(madvise(code + 97 * i * CODE_PAGE, CODE_PAGE, MADV_DONTNEED) == 0);
			replace(code + 97 * i * CODE_PAGE);
			run_sites(code + 97 * (i + 1) * CODE_PAGE);
		}
		protect(code, 2 * PAGES, PROT_RW);
	}
	say("3 rounds");
	return 0;
}
