/* jump_seccomp - issue 5, row 19: filters that forbid what a rewrite needs: known calls go on, fresh ones work,
 * nothing is killed */
#include "jump.h"
#include "seccomp.h"

CODE_PAGE_OF_CALLS(page, 102);

static void under_filter(int which)
{
	run_page(page, 20), run_page(page, 20);
	no_new_privileges();
	if (which == 0)
		REFUSE(SECCOMP_RET_KILL_PROCESS, SYS_mmap, SYS_munmap, SYS_mremap);
	if (which == 1)
		REFUSE(SECCOMP_RET_KILL_PROCESS, SYS_pwrite64, SYS_mprotect);
	if (which == 2)
		REFUSE(SECCOMP_RET_KILL_PROCESS, SYS_membarrier, SYS_openat);
	if (which == 3)
		ALLOW_ONLY(SYS_getuid, SYS_getgid, 500, SYS_write, SYS_exit_group);
	for (int again = 0; again < 3; again++)
		run_page(page, CALLS);
	_exit(5);
}

int main(void)
{
	for (int which = 0; which < 4; which++) {
		pid_t child = fork();
		if (child == 0)
			under_filter(which);
		CHECK_EQ(wait_child(child), 0x105);
	}
	run_page(page, CALLS);
	say("4 filters");
	return 0;
}
