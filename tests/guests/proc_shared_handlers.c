/* proc_shared_handlers - row 14: CLONE_VM | CLONE_SIGHAND without CLONE_THREAD: a child dies of SIGSEGV, and the parent's
 * own faults are handled afterwards, bad pointers in calls answered */
#include "guest.h"

static char *nowhere;

static void handler(int signo, siginfo_t *info, void *context)
{
	(void)context;
	CHECK(info->si_addr == nowhere);
	say("handler %d", signo);
	mprotect(nowhere, 4096, PROT_READ | PROT_WRITE);
}

static int child(void *unused)
{
	(void)unused;
	*nowhere = 1;
	return 0;
}

int main(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 2; i++) {
		pid_t pid = clone(child, stack + sizeof(stack), CLONE_VM | CLONE_SIGHAND | SIGCHLD, NULL);
		CHECK_EQ(wait_child(pid), 0x200 | SIGSEGV);
		CHECK_EQ(raw6(SYS_rt_sigprocmask, SIG_BLOCK, (long)nowhere, 0, 8, 0, 0), -EFAULT);
		CHECK_EQ(raw0(0x10000), -ENOSYS);
	}
	handle(SIGSEGV, handler, 0);
	*nowhere = 2;
	return 0;
}
