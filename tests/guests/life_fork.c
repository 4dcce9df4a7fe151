/* life_fork - row 2: a child replaces called code in each way, while the parent calls its own */
#include "life.h"

static void child(int way, unsigned char *page)
{
	unsigned char *other = map_pages(1, PROT_NONE);
	run_sites(page);
	if (way == 0)
		CHECK(munmap(page, CODE_PAGE) == 0);
	if (way == 1)
		CHECK(mremap(page, CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, other) == other);
	if (way < 3)
		map_again(page);
	replace(page);
	if (way == 1)
		run_sites(other);
	_exit(7);
}

int main(void)
{
	unsigned char *page = new_sites(PROT_RX);
	for (int round = 0; round < 12; round++) {
		pid_t pid = fork();
		CHECK(pid >= 0);
		if (pid == 0)
			child(round % 4, page);
		for (int i = 0; i < 20; i++)
			run_sites(page);
		if (round >= 8) {   /* both at once */
			protect(page, 1, PROT_RW);
			protect(page, 1, PROT_RX);
			run_sites(page);
		}
		CHECK_EQ(wait_child(pid), 0x107);
		run_sites(page);
	}
	replace(page);
	say("12 children");
	return 0;
}
