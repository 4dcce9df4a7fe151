/* proc_vfork_thread - row 14: the child of a vfork makes a thread; the parent's SIGILL is the parent's still */
#include "guest.h"

static volatile int seen;

static void handler(int signo, siginfo_t *info, void *context)
{
	(void)info;
	seen = signo;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

static int thread(void *unused)
{
	(void)unused;
	raw0(SYS_getuid);
	raw1(SYS_exit, 0);
	return 0;
}

int main(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	static pid_t running;
	pid_t pid = vfork();
	if (pid == 0) {
		running = 1;
		if (clone(thread, stack + sizeof(stack), CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			  CLONE_CHILD_CLEARTID, NULL, NULL, NULL, &running) < 0)
			_exit(1);
		while (__atomic_load_n(&running, __ATOMIC_SEQ_CST))
			raw0(SYS_sched_yield);
		_exit(4);
	}
	CHECK_EQ(wait_child(pid), 0x104);
	handle(SIGILL, handler, 0);
	asm volatile("ud2");
	CHECK_EQ(seen, SIGILL);
	return 0;
}
