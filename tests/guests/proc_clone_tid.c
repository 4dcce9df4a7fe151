/* proc_clone_tid - row 14: clone3's set_tid: processes and threads that get the id that their maker names, in a pid
 * namespace; its errors */
#include "start.h"

static char stack[65536] __attribute__((aligned(16)));
static volatile int tid_of_thread, is_over;

static int child(void *expected)
{
	return raw0(SYS_getpid) == (long)expected && raw0(SYS_gettid) == (long)expected ? 70 : 71;
}

static int thread(void *unused)
{
	(void)unused;
	tid_of_thread = (int)raw0(SYS_gettid);
	return 0;
}

static long with_tids(uint64_t flags, pid_t *tids, unsigned count, long expected)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD, .set_tid = (uint64_t)tids, .set_tid_size = count };
	if (flags & CLONE_VM)
		args.stack = (uint64_t)stack, args.stack_size = sizeof(stack);
	long pid = start3(&args, sizeof(args), child, (void *)expected);
	if (pid > 0)
		CHECK_EQ(pid, expected);
	return pid > 0 ? wait_child((pid_t)pid) : pid;
}

/* Process 1 of a namespace. */
static int first(void *outer)
{
	pid_t tids[2] = { 4321, (pid_t)(long)outer };
	say("fork: %#lx", with_tids(0, tids, 1, 4321));
	say("fork, again: %#lx", with_tids(0, tids, 1, 4321));
	tids[0] = 77;
	say("vfork: %#lx", with_tids(CLONE_VM | CLONE_VFORK, tids, 1, 77));
	say("VM: %#lx", with_tids(CLONE_VM, tids, 1, 77));
	struct clone_args args = { .flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
		CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, .stack = (uint64_t)stack, .stack_size = sizeof(stack),
		.set_tid = (uint64_t)tids, .set_tid_size = 1, .child_tid = (uint64_t)&is_over };
	is_over = 1;
	CHECK_EQ(start3(&args, sizeof(args), thread, NULL), 77);
	while (is_over)
		raw6(SYS_futex, (long)&is_over, 0, 77, 0, 0, 0);
	CHECK_EQ(tid_of_thread, 77);
	tids[0] = 1;
	say("taken: %ld", with_tids(0, tids, 1, 1));
	tids[0] = 0;
	say("0: %ld", with_tids(0, tids, 1, 0));
	tids[0] = 1 << 30;
	say("too great: %ld", with_tids(0, tids, 1, 0));
	tids[0] = 88;
	say("no size: %ld", with_tids(0, tids, 0, 0));
	say("no ids: %ld", with_tids(0, NULL, 1, 0));
	say("too deep: %ld", with_tids(0, tids, 33, 0));
	say("bad pointer: %ld", with_tids(0, (pid_t *)(1L << 46), 1, 0));
	return 7;
}

int main(void)
{
	pid_t tids[1] = { 1 };
	struct clone_args args = { .flags = CLONE_NEWPID, .exit_signal = SIGCHLD, .set_tid = (uint64_t)tids,
		.set_tid_size = 1 };
	long pid = start3(&args, sizeof(args), first, NULL);
	if (pid == -EPERM || pid == -EINVAL || pid == -E2BIG)
		SKIP("clone3 with CLONE_NEWPID and set_tid is refused: %ld", pid);
	say("first: %#x", wait_child((pid_t)pid));
	tids[0] = 2;
	say("not the first: %ld", start3(&args, sizeof(args), first, NULL));
	return 0;
}
