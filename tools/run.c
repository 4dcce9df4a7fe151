/* run.c - start the program and stay as its parent
 *
 * The program stays in the command's own process group, as under strace and time, so a terminal's signals reach
 * it by themselves and must not be doubled. The parent blocks every signal and takes them one by one with
 * sigwaitinfo(); no handler runs. What each signal means to it:
 *   SIGCHLD                     the program has stopped, gone on, or ended
 *   sent by the terminal        dropped: the program has its own (INT QUIT HUP TSTP TTIN TTOU WINCH CONT)
 *   SIGCONT                     wakes the program, unless it is awake already
 *   all others                  passed on, with the value of sigqueue()
 * kill() of a whole process group can't be told from kill() of the parent alone: passing on is right for the
 * second and gives the program the signal twice in the first. That is the lesser evil.
 *
 * Job control is in stop.c. Mask and SIGCHLD's disposition are as the user gave them when the program starts.
 */
#include "tools/run.h"

#include "tools/message.h"
#include "tools/stop.h"
#include "tools/target.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

enum { CALIBRATION_NS = 10000000 };

struct moment { uint64_t ticks, nanoseconds; };

static struct moment take_moment(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (struct moment){ __rdtsc(), (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec };
}

/* Two moments that lie close together would give a poor rate: wait for at least 10 ms between them. */
static void measure(struct zl_run *run, struct moment start)
{
	struct moment end;

	do
		end = take_moment();
	while (end.nanoseconds - start.nanoseconds < CALIBRATION_NS);
	run->ticks = end.ticks - start.ticks;
	run->nanoseconds = end.nanoseconds - start.nanoseconds;
}

/* Let go of the program's descriptors: the parent must not hold a pipe open that the program has closed. */
static void close_all_but(int keep)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
	}
	if (keep <= STDERR_FILENO) {
		close_range(STDERR_FILENO + 1, ~0U, 0);
		return;
	}
	if (keep > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned)keep - 1, 0);
	close_range((unsigned)keep + 1, ~0U, 0);
}

/* Has the program got this one from the terminal as well? */
static bool is_from_terminal(const siginfo_t *info)
{
	switch (info->si_signo) {
	case SIGINT: case SIGQUIT: case SIGHUP: case SIGTSTP: case SIGTTIN: case SIGTTOU: case SIGWINCH: case SIGCONT:
		return info->si_code > 0;
	default:
		return false;
	}
}

static void pass_on(pid_t child, const siginfo_t *info)
{
	if (is_from_terminal(info))
		return;
	if (info->si_signo == SIGCONT && zl_stop_is_resumed(child))
		return;
	if (info->si_code == SI_QUEUE)
		sigqueue(child, info->si_signo, info->si_value);
	else
		kill(child, info->si_signo);
}

/* Take what waitpid() has to say. Returns true when the program has ended. */
static bool collect(pid_t child, int *status)
{
	for (;;) {
		pid_t pid = waitpid(child, status, WNOHANG | WUNTRACED);
		if (pid <= 0)
			return pid < 0 && errno == ECHILD;
		if (!WIFSTOPPED(*status))
			return true;
		zl_stop_too(child, WSTOPSIG(*status));
	}
}

static int wait_for(pid_t child)
{
	sigset_t all;
	siginfo_t info;
	int status = 0;

	sigfillset(&all);
	for (;;) {
		int signal_number = sigwaitinfo(&all, &info);
		if (signal_number < 0)
			continue;
		if (signal_number == SIGCHLD && collect(child, &status))
			return status;
		if (signal_number != SIGCHLD || info.si_code <= 0)
			pass_on(child, &info);
	}
}

static void start_program(char **program, const sigset_t *mask, const struct sigaction *on_child)
{
	sigaction(SIGCHLD, on_child, NULL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(program[0], program);
	_exit(zl_target_failed(program[0], errno));
}

bool zl_run_program(struct zl_run *run, char **program, int keep_fd)
{
	struct sigaction plain = { .sa_handler = SIG_DFL }, on_child;
	struct moment start = take_moment();
	sigset_t all, mask;
	pid_t child;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	sigaction(SIGCHLD, &plain, &on_child);
	child = fork();
	if (child == 0)
		start_program(program, &mask, &on_child);
	if (child < 0) {
		zl_message(0, "cannot make a process for '%s': %s", program[0], strerror(errno));
		return false;
	}
	close_all_but(keep_fd);
	run->status = wait_for(child);
	measure(run, start);
	return true;
}

void zl_run_end(int status)
{
	struct rlimit none = { 0, 0 };
	sigset_t set;

	if (WIFEXITED(status))
		exit(WEXITSTATUS(status));
	/* The program has left its core, if any; the command must not leave a second one. */
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(WTERMSIG(status), SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, WTERMSIG(status));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(WTERMSIG(status));
	exit(128 + WTERMSIG(status));
}
