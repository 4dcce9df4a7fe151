/* life_vfork - row 2: a vfork child execs, which takes nothing of the parent's, or replaces called code, which does */
#include "life.h"

static pid_t exec_child(void)
{
	pid_t pid = vfork();
	if (pid == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	return pid;
}

/* The child writes what the parent then runs. */
static pid_t replacing_child(unsigned char *page, void *fill(unsigned char *))
{
	pid_t pid = vfork();
	if (pid == 0) {
		if (munmap(page, CODE_PAGE) != 0)
			_exit(1);
		if (mmap(page, CODE_PAGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != page)
			_exit(2);
		fill(page);
		_exit(mprotect(page, CODE_PAGE, PROT_RX) ? 3 : 7);
	}
	return pid;
}

int main(void)
{
	unsigned char *page = new_sites(PROT_RX);
	for (int round = 0; round < 3; round++) {
		CHECK_EQ(wait_child(exec_child()), 0x100);
		run_sites(page);
	}
	say("exec");
	for (int round = 0; round < 3; round++) {
		CHECK_EQ(wait_child(replacing_child(page, fill_calls)), 0x107);
		run_calls(page);
		CHECK_EQ(wait_child(replacing_child(page, fill_sites)), 0x107);
		run_sites(page);
	}
	say("munmap");
	return 0;
}
