/* proc_clone_traced - row 14: CLONE_PTRACE makes the child its maker's tracer's, too; CLONE_UNTRACED keeps it from one
 * that follows clones. needs the real getpid */
#include "start.h"
#include <sys/ptrace.h>

static struct shared { volatile int pid; char stack[65536] __attribute__((aligned(16))); } *shared;
static const struct { const char *name; uint64_t flags; bool has_stack, follows; } tries[] = {
	{ "plain", 0, false, false }, { "PTRACE", CLONE_PTRACE, false, false },
	{ "VM PTRACE", CLONE_VM | CLONE_PTRACE, true, false }, { "plain, followed", 0, false, true },
	{ "VM, followed", CLONE_VM, true, true }, { "UNTRACED, followed", CLONE_UNTRACED, false, true },
	{ "VM UNTRACED, followed", CLONE_VM | CLONE_UNTRACED, true, true } };

static int child(void *argument)
{
	return raw0(SYS_getuid) == (long)argument ? 80 : 81;
}

static int maker(size_t i)
{
	struct clone_args args = { .flags = tries[i].flags, .exit_signal = SIGCHLD };
	sigset_t set;
	int status;
	if (tries[i].has_stack)
		args.stack = (uint64_t)shared->stack, args.stack_size = sizeof(shared->stack);
	sigemptyset(&set), sigaddset(&set, SIGCHLD), sigprocmask(SIG_BLOCK, &set, NULL);
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	shared->pid = (int)start3(&args, sizeof(args), child, (void *)(long)getuid());
	while (waitpid(shared->pid, &status, __WALL) != shared->pid || !WIFEXITED(status))
		;
	return WEXITSTATUS(status);
}

int main(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < COUNT_OF(tries); i++) {
		int status, child_stops = 0, child_end = -1;
		long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
		pid_t pid = fork(), seen;
		if (pid == 0)
			_exit(maker(i));
		CHECK(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
		CHECK(!tries[i].follows || ptrace(PTRACE_SETOPTIONS, pid, 0, options) == 0);
		CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0);
		while ((seen = waitpid(-1, &status, __WALL)) > 0) {
			if (WIFSTOPPED(status)) {
				int signo = WSTOPSIG(status) == SIGSTOP || status >> 16 ? 0 : WSTOPSIG(status);
				child_stops += seen != pid && WSTOPSIG(status) == SIGSTOP;
				CHECK(ptrace(PTRACE_CONT, seen, 0, signo) == 0);
			} else if (seen != pid) {
				child_end = status;
			} else {
				break;
			}
		}
		say("%s: maker %#x, child stopped %d times, seen to end %#x", tries[i].name, status, child_stops, child_end);
	}
	return 0;
}
