/* sud_children - row 18: dispatch is off in every child (fork, vfork, clone, a thread, exec) and stays on in the
 * parent */
#include "dispatch.h"

static volatile char selector;
static volatile int handled;
static char stack[65536] __attribute__((aligned(16)));

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	selector = ALLOW;
	(void)signal, (void)info, (void)context;
	handled++;
}

static int probe(void *data)
{
	(void)data;
	selector = BLOCK;
	raw0(SYS_getppid);   /* not dispatched, where it is off */
	return selector == BLOCK;
}

static void *thread(void *data)
{
	(void)data;
	for (int i = 0; i < 10; i++)
		CHECK(probe(NULL));
	return NULL;
}

static void expect_on(const char *after)
{
	handled = 0;
	CHECK(!probe(NULL) && handled == 1);
	say("%s: still on in the parent", after);
}

int main(int argc, char **argv)
{
	pthread_t id;
	pid_t pid;
	need_dispatch();
	if (argc > 1)
		return probe(NULL) ? 41 : 42;
	handle(SIGSYS, on_sigsys, 0);
	CHECK_EQ(dispatch(DISPATCH_EXCLUSIVE, 0, 0, &selector), 0);
	expect_on("prctl");
	if ((pid = fork()) == 0)
		_exit(probe(NULL));
	CHECK_EQ(wait_child(pid), 0x101);
	expect_on("fork");
	if ((pid = vfork()) == 0)
		_exit(probe(NULL));
	selector = ALLOW;   /* its memory is ours; vfork() itself is a call that has returned */
	CHECK_EQ(wait_child(pid), 0x101);
	expect_on("vfork");
	pid = clone(probe, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	selector = ALLOW;
	CHECK_EQ(wait_child(pid), 0x101);
	expect_on("clone");
	CHECK(dispatch(DISPATCH_EXCLUSIVE, 0, 0, &selector) == 0 && execl("/nonexistent", "x", NULL) == -1);
	expect_on("failed exec");
	if ((pid = fork()) == 0)
		execl(argv[0], argv[0], "again", NULL);
	CHECK_EQ(wait_child(pid), 0x129);
	if ((pid = fork()) == 0) {
		CHECK_EQ(dispatch(DISPATCH_EXCLUSIVE, 0, 0, &selector), 0);
		execl(argv[0], argv[0], "again", NULL);
	}
	CHECK_EQ(wait_child(pid), 0x129);
	expect_on("exec");
	CHECK_EQ(dispatch(DISPATCH_EXCLUSIVE, (long)0, -1, &selector), 0);   /* this thread passes, others are off */
	CHECK(pthread_create(&id, NULL, thread, NULL) == 0 && pthread_join(id, NULL) == 0);
	selector = ALLOW;
	CHECK_EQ(dispatch(DISPATCH_EXCLUSIVE, 0, 0, &selector), 0);
	expect_on("thread");
	return 0;
}
