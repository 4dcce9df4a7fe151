/* proc_vfork_traced - row 14: a child of vfork asks to be traced, and makes a process: that one is not traced in its exec */
#include "guest.h"
#include <sys/ptrace.h>

int main(int count, char **arguments)
{
	int status = 0;
	sigset_t mask;
	pid_t pid;
	if (count > 1 && arguments[1][0] == 'c')
		return 5;
	sigemptyset(&mask), sigaddset(&mask, SIGCHLD);   /* a traced process would stop at it */
	sigprocmask(SIG_BLOCK, &mask, NULL);
	pid = vfork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		long child = raw6(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);
		if (child == 0) {
			raw3(SYS_execve, "/proc/self/exe", ((char *[]){ "x", "child", NULL }), NULL);
			raw1(SYS_exit_group, 6);
		}
		raw6(SYS_wait4, child, (long)&status, __WALL, 0, 0, 0);
		if (WIFSTOPPED(status))
			raw2(SYS_kill, child, SIGKILL);
		raw1(SYS_exit_group, WIFEXITED(status) ? WEXITSTATUS(status) : 7);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	say("exited %d: %d", WIFEXITED(status), WEXITSTATUS(status));
	return 0;
}
