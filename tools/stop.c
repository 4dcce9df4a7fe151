/* stop.c - job control: the parent stops and goes on with the program
 *
 * A shell that has job control watches the command, not the program: if only the program stopped, the terminal
 * would hang. So the command stops by the same signal. A SIGCONT that wakes it stays pending, because it is
 * blocked, and so tells a real stop from a stop that the kernel refused (SIGTSTP in an orphaned process group).
 *
 * The program may also be woken, or killed, by somebody who knows nothing of the command, which then would sleep
 * on. While the command is stopped, a small guard process looks at the program's state and wakes the command as
 * soon as that is no longer "stopped". It is killed as soon as the command goes on.
 */
#include "tools/stop.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_EVERY_NS = 20000000 };

bool zl_stop_is_resumed(pid_t child)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)child, &info, WCONTINUED | WNOHANG) == 0 && info.si_pid == child;
}

/* The letter of the process's state in /proc, 0 if it is gone. */
static char state_of(pid_t pid)
{
	char name[64], text[512];
	const char *end;
	ssize_t size;
	int fd;

	snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	size = read(fd, text, sizeof text - 1);
	close(fd);
	if (size <= 0)
		return 0;
	text[size] = '\0';
	end = strrchr(text, ')');
	return end != NULL && end[1] == ' ' ? end[2] : 0;
}

/* The guard's whole life. The parent is known to be `parent` for as long as getppid() says so. */
static void guard(pid_t parent, pid_t child)
{
	const struct timespec pause_between = { .tv_nsec = LOOK_EVERY_NS };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == parent) {
		if (state_of(child) != 'T' && state_of(child) != 't') {
			kill(parent, SIGCONT);
			_exit(0);
		}
		nanosleep(&pause_between, NULL);
	}
	_exit(0);
}

/* Take a pending SIGCONT. Returns who has sent it, -1 if nobody knows, 0 if there is none. */
static pid_t take_continue(void)
{
	const struct timespec now = { 0, 0 };
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCONT);
	if (sigtimedwait(&set, &info, &now) != SIGCONT)
		return 0;
	return info.si_code == SI_USER && info.si_pid != 0 ? info.si_pid : -1;
}

void zl_stop_too(pid_t child, int signal_number)
{
	pid_t parent = getpid(), helper, waker;
	sigset_t set;

	take_continue();
	helper = fork();
	if (helper == 0)
		guard(parent, child);
	signal(signal_number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, signal_number);
	raise(signal_number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);   /* the command sleeps here */
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (helper > 0) {
		kill(helper, SIGKILL);
		waitpid(helper, NULL, 0);
	}
	waker = take_continue();
	if (helper > 0 && waker == helper)   /* the program was awake, and may have been stopped anew since */
		zl_stop_is_resumed(child);
	else if (waker != 0 && !zl_stop_is_resumed(child)) {
		kill(child, SIGCONT);
		zl_stop_is_resumed(child);   /* that was this one; don't take it for a later one */
	}
}
