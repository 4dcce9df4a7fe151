/* jit_uffd_quiet - rows 7, 8: the thread that answers for userfaultfd memory is asked for what the program
 * touches, and for nothing else */
#include "uffd.h"

static int asked(void)
{
	int sum = 0;
	for (int i = 0; i < UFFD_PAGES; i++)
		sum += uffd_asked[i];
	return sum;
}

int main(void)
{
	uffd_content = fill_to_edges;
	uffd_start(UFFDIO_REGISTER_MODE_MISSING, PROT_RX);
	for (int i = 0; i < UFFD_PAGES; i += 2)
		run_to_edges(uffd_memory + i * CODE_PAGE);
	for (int i = 0; i < UFFD_PAGES; i++)
		if (uffd_asked[i] != (i % 2 == 0))
			FAIL("asked %d times for page %d", uffd_asked[i], i);
	say("%d missing pages", asked());
	memset((void *)uffd_asked, 0, sizeof(uffd_asked));
	close(uffd);
	uffd_start(UFFDIO_REGISTER_MODE_WP, PROT_RWX);
	uffd_protect(0, UFFD_PAGES);
	for (int i = 0; i < UFFD_PAGES; i++)
		run_to_edges(uffd_memory + i * CODE_PAGE);
	say("%d writes", asked());
	return 0;
}
