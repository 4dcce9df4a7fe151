/* jump_no_memory - issue 5, row 29: first calls under RLIMIT_AS without a page to spare */
#include "jump.h"
#include <sys/resource.h>

CODE_PAGE_OF_CALLS(first, 102);
CODE_PAGE_OF_CALLS(second, 102);
CODE_PAGE_OF_CALLS(third, 102);

int main(void)
{
	struct rlimit old, none = { 1 << 20, RLIM_INFINITY };
	CHECK(getrlimit(RLIMIT_AS, &old) == 0);
	none.rlim_max = old.rlim_max;
	run_page(first, 3);
	CHECK(setrlimit(RLIMIT_AS, &none) == 0);
	CHECK(mmap(NULL, CODE_PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
	for (int again = 0; again < 3; again++) {
		run_page(first, CALLS);
		run_page(second, CALLS);
	}
	CHECK(setrlimit(RLIMIT_AS, &old) == 0);
	for (int again = 0; again < 3; again++) {
		run_page(second, CALLS);
		run_page(third, CALLS);
	}
	say("called without memory");
	return 0;
}
