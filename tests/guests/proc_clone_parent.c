/* proc_clone_parent - row 14: CLONE_PARENT: the child is its maker's sister, however it shares memory, and their parent
 * waits for it */
#include "start.h"

static struct shared {
	volatile int pid, parent_of_child, own;
	char stack[65536] __attribute__((aligned(16)));
} *shared;
static const struct { const char *name; uint64_t flags; bool has_stack; } tries[] = {
	{ "copy", 0, false }, { "copy, a stack", 0, true }, { "VM", CLONE_VM, true }, { "VFORK", CLONE_VFORK, false },
	{ "VM VFORK", CLONE_VM | CLONE_VFORK, true }, { "VM SIGHAND FILES", CLONE_VM | CLONE_SIGHAND | CLONE_FILES, true } };

static int child(void *argument)
{
	shared->parent_of_child = (int)raw0(SYS_getppid);
	shared->own = (int)raw0(SYS_getpid);
	return raw0(SYS_getuid) == (long)argument ? 50 : 51;
}

/* clone() has the flag, too. Ends with 0 if the kernel says that the child is none of ours. */
static int middle(size_t i)
{
	struct clone_args args = { .flags = tries[i].flags | CLONE_PARENT };
	if (tries[i].has_stack)
		args.stack = (uint64_t)shared->stack, args.stack_size = sizeof(shared->stack);
	shared->pid = (int)start3(&args, sizeof(args), child, (void *)(long)getuid());
	while (!shared->own)
		sleep_us(200);
	return waitpid(shared->pid, NULL, __WALL) == -1 && errno == ECHILD ? 0 : 1;
}

int main(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < COUNT_OF(tries); i++) {
		int status, statuses[2] = { 0 };
		pid_t pid;
		shared->pid = shared->own = shared->parent_of_child = 0;
		pid_t maker = fork();
		if (maker == 0)
			_exit(middle(i));
		for (int k = 0; k < 2; k++) {
			CHECK((pid = waitpid(-1, &status, __WALL)) > 0);
			statuses[pid == maker] = status;
		}
		CHECK(shared->own != maker && waitpid(-1, NULL, __WALL) == -1 && errno == ECHILD);
		say("%s: maker %#x, child %#x, parent %d, pid %d", tries[i].name, statuses[1], statuses[0],
			shared->parent_of_child == getpid(), shared->own == shared->pid);
	}
	pid_t maker = fork();
	if (maker == 0)
		_exit(raw6(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0, 0) < 0);
	int ends[2];
	for (int k = 0; k < 2; k++)
		CHECK(waitpid(-1, &ends[k], __WALL) > 0);
	say("clone: %#x %#x", ends[0], ends[1]);
	return 0;
}
