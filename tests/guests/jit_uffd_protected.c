/* jit_uffd_protected - rows 2, 8: code in memory that userfaultfd protects from writing: the program's stores are
 * told to a thread, then made */
#include "uffd.h"

int main(void)
{
	uffd_content = fill_to_edges;
	uffd_start(UFFDIO_REGISTER_MODE_WP, PROT_RWX);
	uffd_protect(0, UFFD_PAGES);
	for (int i = 0; i < UFFD_PAGES; i++)
		run_to_edges(uffd_memory + i * CODE_PAGE);
	say("called");
	uffd_protect(0, UFFD_PAGES);
	for (int i = 0; i < UFFD_PAGES; i += 2) {
		int before = uffd_asked[i];
		fill_calls(uffd_memory + i * CODE_PAGE);
		CHECK(uffd_asked[i] == before + 1);
		run_calls(uffd_memory + i * CODE_PAGE);
	}
	for (int i = 1; i < UFFD_PAGES; i += 2)
		run_to_edges(uffd_memory + i * CODE_PAGE);
	say("written and called");
	return 0;
}
