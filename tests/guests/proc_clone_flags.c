/* proc_clone_flags - row 14: clone3 with each flag that makes processes share something, or not, with and without a stack */
#include "start.h"

static struct shared { volatile int variable, in_child, parent_of_child; char stack[65536]; } *shared;
static volatile int variable;
static const struct { const char *name; uint64_t flags; bool has_stack; } tries[] = {
	{ "none", 0, false }, { "none, a stack", 0, true }, { "FS", CLONE_FS, false }, { "FILES", CLONE_FILES, false },
	{ "FS FILES", CLONE_FS | CLONE_FILES, true }, { "VM", CLONE_VM, true }, { "VM FILES FS", CLONE_VM | CLONE_FILES | CLONE_FS, true },
	{ "VM SIGHAND", CLONE_VM | CLONE_SIGHAND, true }, { "VM CLEAR_SIGHAND", CLONE_VM | CLONE_CLEAR_SIGHAND, true },
	{ "VFORK", CLONE_VFORK, false }, { "VFORK FILES, a stack", CLONE_VFORK | CLONE_FILES, true },
	{ "VM VFORK", CLONE_VM | CLONE_VFORK, false }, { "VM VFORK, a stack", CLONE_VM | CLONE_VFORK, true },
	{ "VM VFORK FILES SIGHAND", CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_SIGHAND, true },
	{ "SYSVSEM IO", CLONE_SYSVSEM | CLONE_IO, false }, { "UNTRACED", CLONE_UNTRACED, false },
	{ "CLEAR_SIGHAND", CLONE_CLEAR_SIGHAND, false }, { "PARENT_SETTID", CLONE_PARENT_SETTID, false },
	{ "CHILD_SETTID", CLONE_CHILD_SETTID, false }, { "PIDFD", CLONE_PIDFD, false },
	{ "VM PIDFD", CLONE_VM | CLONE_PIDFD, true }, { "VM PARENT_SETTID CHILD_SETTID CHILD_CLEARTID",
	CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, true } };

static void on_signal(int signo) { (void)signo; }

static int child(void *argument)
{
	struct sigaction action;
	variable = 1;
	raw1(SYS_chdir, "/proc");
	raw2(SYS_dup2, 1, 100);
	raw6(SYS_rt_sigaction, SIGUSR1, 0, (long)&action, 8, 0, 0);
	shared->in_child = raw0(SYS_getpid) == raw0(SYS_gettid) && action.sa_handler == on_signal;
	shared->parent_of_child = (int)raw0(SYS_getppid);
	return raw0(SYS_getuid) == (long)argument ? 40 : 41;
}

int main(void)
{
	char directory[64];
	int parent_tid, child_tid, pidfd;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	signal(SIGUSR1, on_signal);
	for (size_t i = 0; i < COUNT_OF(tries); i++) {
		struct clone_args args = { .flags = tries[i].flags, .exit_signal = SIGCHLD, .pidfd = (uint64_t)&pidfd,
			.parent_tid = (uint64_t)&parent_tid, .child_tid = (uint64_t)&child_tid };
		if (tries[i].has_stack)
			args.stack = (uint64_t)shared->stack, args.stack_size = sizeof(shared->stack);
		parent_tid = child_tid = pidfd = -1;
		variable = shared->in_child = 0;
		CHECK(chdir("/tmp") == 0);
		long pid = start3(&args, sizeof(args), child, (void *)(long)getuid());
		CHECK(pid > 0);
		int status = wait_child((pid_t)pid);
		CHECK(shared->parent_of_child == getpid() && getcwd(directory, sizeof(directory)));
		say("%s: %#x, memory %d, directory %s, files %d, handler %d, tids %d %d, pidfd %d", tries[i].name, status, variable,
			directory, close(100) == 0, shared->in_child, parent_tid == pid, child_tid == pid ? 1 : child_tid,
			pidfd >= 0 && close(pidfd) == 0);
	}
	return 0;
}
