/* seccomp_fork - rows 14, 19: fork, vfork and clone under a filter that allows nothing else of use; signals and fresh sites in the children */
#include "seccomp.h"

static unsigned char *page;
static long uid;

static void call_some(int from)
{
	for (int i = 0; i < 60; i++)
		CHECK_EQ(call_at(page + 16 * (from + i % 20), 0, 0, 0), uid);
}

int main(void)
{
	page = map_pages(1, PROT_RW);
	for (int i = 0; i < 200; i++)
		put_call(page + 16 * i, SYS_getuid);
	protect(page, 1, PROT_RX);
	uid = getuid();
	call_some(0);
	no_new_privileges();
	ALLOW_ONLY(SYS_write, SYS_getuid, SYS_exit_group, SYS_wait4, SYS_clone, SYS_fork, SYS_vfork, SYS_rt_sigprocmask,
		   SYS_set_robust_list);
	for (int round = 0; round < 20; round++) {
		long child = round % 3 == 0 ? raw6(SYS_fork, 0, 0, 0, 0, 0, 0) : raw6(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);
		if (child == 0) {
			call_some(20);
			long grandchild = raw6(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);
			if (grandchild == 0) {
				call_some(40);
				_exit(3);
			}
			CHECK_EQ(wait_child((pid_t)grandchild), 0x103);
			_exit(round);
		}
		CHECK(child > 0);
		CHECK_EQ(wait_child((pid_t)child), 0x100 | round);
		call_some(60);
	}
	for (int round = 0; round < 20; round++) {
		pid_t child = vfork();
		if (child == 0) {
			call_some(80);
			_exit(round);
		}
		CHECK_EQ(wait_child(child), 0x100 | round);
	}
	pid_t child = fork();
	if (child == 0) {
		call_some(100);
		syscall(SYS_getppid); /* killed */
		_exit(0);
	}
	CHECK_EQ(wait_child(child), 0x200 | SIGSYS);
	say("children and grandchildren done");
	_exit(0);
}
