/* jit_uffd_quiet - rows 7, 8: the thread that answers for missing pages of userfaultfd memory is asked for what the
 * program touches, and for nothing else */
#include "uffd.h"

int main(void)
{
	uffd_content = fill_to_edges;
	uffd_start(UFFDIO_REGISTER_MODE_MISSING, PROT_RX);
	for (int i = 0; i < UFFD_PAGES; i += 2)
		run_to_edges(uffd_memory + i * CODE_PAGE);
	for (int i = 0; i < UFFD_PAGES; i++)
		if (uffd_asked[i] != (i % 2 == 0))
			FAIL("asked %d times for page %d", uffd_asked[i], i);
	say("%d missing pages", UFFD_PAGES / 2);
	return 0;
}
