/* sig_terminal - row 11: job control in a terminal: ^Z stops, SIGCONT goes on with the read, a background process is stopped by
 * SIGTTIN and SIGTTOU, ^C ends, with handlers and without; hang-up at the end. needs the real getpid */
#include "guest.h"
#include <pty.h>
#include <termios.h>

static int master;
static volatile int handled;
static void on_signal(int signo) { (void)signo; handled++; }

static void type(const char *text) { CHECK(write(master, text, strlen(text)) > 0); }

static int stopped_by(pid_t pid)
{
	int status;
	CHECK(waitpid(pid, &status, WUNTRACED | WCONTINUED) == pid);
	return WIFSTOPPED(status) ? 0x300 | WSTOPSIG(status) : WIFCONTINUED(status) ? 0x400 : status;
}

/* A job in the foreground, with handlers or without, that reads a byte. */
static pid_t start_job(bool handles, bool in_background)
{
	pid_t child = fork();
	char byte;
	CHECK(child >= 0);
	if (child)
		return child;
	signal(SIGTTOU, SIG_IGN);
	setpgid(0, 0);
	if (!in_background)
		tcsetpgrp(0, getpid());
	if (handles)
		signal(SIGTSTP, on_signal), signal(SIGINT, on_signal), signal(SIGCONT, on_signal);
	signal(SIGTTOU, SIG_DFL);
	long result = read(0, &byte, 1);
	_exit(result == 1 ? 0x40 | handled : 9);
}

static void session(int report)
{
	/* the terminal's first process: it starts the jobs, the parent types */
	for (int way = 0; way < 3; way++) {
		int seen[8] = { 0 }, n = 0;
		pid_t job = start_job(way == 1, way == 2);
		if (way == 2) {
			seen[n++] = stopped_by(job);   /* SIGTTIN */
		} else {
			wait_asleep(job, job);
			CHECK(write(report, "z", 1) == 1);   /* type ^Z, or with handlers ^Z, ^C, x */
		}
		if (way == 0)
			seen[n++] = stopped_by(job);   /* SIGTSTP */
		if (way != 1) {
			tcsetpgrp(0, job);
			signal_child(job, SIGCONT);
			seen[n++] = stopped_by(job);
			wait_asleep(job, job);
			CHECK(write(report, "x", 1) == 1);
		}
		seen[n++] = stopped_by(job);
		tcsetpgrp(0, getpid());
		CHECK(write(report, "=", 1) == 1 && write(report, seen, sizeof(seen)) == sizeof(seen));
	}
	pid_t job = start_job(false, false);
	wait_asleep(job, job);
	CHECK(write(report, "c", 1) == 1);
	int seen[8] = { stopped_by(job) };
	CHECK(write(report, "=", 1) == 1 && write(report, seen, sizeof(seen)) == sizeof(seen));
	tcsetpgrp(0, getpid());
	signal(SIGTTOU, SIG_DFL);
	_exit(3);
}

int main(void)
{
	int report[2], seen[8];
	char order;
	struct termios raw;
	CHECK(pipe(report) == 0);
	pid_t child = forkpty(&master, NULL, NULL, NULL);
	CHECK(child >= 0);
	if (child == 0) {
		signal(SIGTTOU, SIG_IGN);
		tcgetattr(0, &raw), raw.c_lflag &= (unsigned)~(ICANON | ECHO), tcsetattr(0, TCSANOW, &raw);
		session(report[1]);
	}
	close(report[1]);
	for (int jobs = 0; read(report[0], &order, 1) == 1; ) {
		if (order == '=') {
			CHECK(read(report[0], seen, sizeof(seen)) == sizeof(seen));
			say("job %d: %#x %#x %#x %#x", jobs++, seen[0], seen[1], seen[2], seen[3]);
		} else if (order == 'z' && jobs == 1) {
			type("\x1a"), sleep_us(20000), type("\x03"), sleep_us(20000), type("x");   /* two handlers, then the byte */
		} else {
			type(order == 'z' ? "\x1a" : order == 'c' ? "\x03" : "x");
		}
	}
	say("session: %#x", wait_child(child));
	return 0;
}
