/* life_fork_wipe - row 2: called code that a child does not get: MADV_WIPEONFORK empties it, MADV_DONTFORK unmaps it */
#include "life.h"

static unsigned char *page;
static int advice;

static void child(void)
{
	if (advice == MADV_DONTFORK)
		CHECK(mmap(page, CODE_PAGE, PROT_RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == page);
	CHECK(page[SPOT_AFTER] == 0);
	fill_calls(page);
	run_calls(page);
	fill_sites(page);
	run_sites(page);
	_exit(7);
}

int main(void)
{
	static const int advices[] = { MADV_WIPEONFORK, MADV_DONTFORK };
	for (size_t i = 0; i < COUNT_OF(advices); i++) {
		page = new_sites(PROT_RWX);
		advice = advices[i];
		CHECK(madvise(page, CODE_PAGE, advice) == 0);
		pid_t pid = fork();
		if (pid == 0)
			child();
		run_sites(page);
		CHECK_EQ(wait_child(pid), 0x107);
		run_sites(page);
		say("%s", i ? "MADV_DONTFORK" : "MADV_WIPEONFORK");
	}
	return 0;
}
