/* jump_fork - issue 5: fork in the middle: the child's known calls work, it meets fresh ones, changes the code,
 * has children; then the parent */
#include "jump.h"

CODE_PAGE_OF_CALLS(page, 102);

static void change(int nr)
{
	protect(page, 1, PROT_RW);
	for (int i = 0; i < CALLS; i++) {
		CHECK(page[64 * i] == 0xb8 && page[64 * i + 5] == 0x0f && page[64 * i + CAVE_SITE] == 0x0f);
		page[64 * i + 1] = (unsigned char)nr;
	}
	protect(page, 1, PROT_RX);
}

static void generation(int depth)
{
	run_page(page, 12 * depth + 12), run_page(page, 12 * depth + 12);
	pid_t child = fork();
	if (child == 0) {
		run_page(page, 12 * depth + 12);
		if (depth < 3)
			generation(depth + 1);
		change(SYS_getgid);
		for (int again = 0; again < 3; again++)
			for (int i = 0; i < CALLS; i++)
				CHECK_EQ(mov_in(page, i, 0, 0, 0), getgid());
		change(SYS_getuid);
		run_page(page, CALLS);
		_exit(17);
	}
	run_page(page, CALLS);
	CHECK_EQ(wait_child(child), 0x111);
	run_page(page, CALLS);
}

int main(void)
{
	generation(0);
	generation(0);
	say("two families");
	return 0;
}
