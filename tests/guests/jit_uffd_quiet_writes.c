/* jit_uffd_quiet_writes - rows 7, 8: the thread that watches writes to userfaultfd memory is not asked for code that the
 * program runs only */
#include "uffd.h"

int main(void)
{
	uffd_content = fill_to_edges;
	uffd_start(UFFDIO_REGISTER_MODE_WP, PROT_RWX);
	uffd_protect(0, UFFD_PAGES);
	for (int i = 0; i < UFFD_PAGES; i++)
		run_to_edges(uffd_memory + i * CODE_PAGE);
	for (int i = 0; i < UFFD_PAGES; i++)
		if (uffd_asked[i] != 0)
			FAIL("asked %d times for page %d", uffd_asked[i], i);
	say("no writes");
	return 0;
}
