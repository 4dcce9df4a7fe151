/* jit_uffd_missing - rows 1, 2: code arrives page by page by userfaultfd, given back and fetched again; the thread
 * that brings it makes fresh calls */
#include "uffd.h"

int main(void)
{
	uffd_content = fill_to_edges;
	uffd_start(UFFDIO_REGISTER_MODE_MISSING, PROT_RX);
	for (int i = 0; i < UFFD_PAGES; i += 2)   /* the neighbours are missing */
		run_to_edges(uffd_memory + i * CODE_PAGE);
	for (int i = 1; i < UFFD_PAGES; i += 2)
		run_to_edges(uffd_memory + i * CODE_PAGE);
	for (int i = 0; i < UFFD_PAGES; i++)
		CHECK(uffd_asked[i] == 1);
	say("each page fetched once");
	uffd_content = fill_calls;
	for (int i = 0; i < UFFD_PAGES; i += 3) {
		CHECK(madvise(uffd_memory + i * CODE_PAGE, CODE_PAGE, MADV_DONTNEED) == 0);
		run_calls(uffd_memory + i * CODE_PAGE);
		CHECK(uffd_asked[i] == 2);
	}
	for (int i = 1; i < UFFD_PAGES; i += 3)
		run_to_edges(uffd_memory + i * CODE_PAGE);
	say("every third given back and fetched again");
	return 0;
}
