/* sig_siginfo - row 11: siginfo of every source: timers with a value and overrun, SIGIO with its descriptor, message queues, a child's
 * stop, continuation and end, sigqueue, tgkill, abort, SIGPIPE, a limit of processor time. needs the real getpid */
#include "guest.h"
#include <mqueue.h>
#include <sys/resource.h>
#include <sys/socket.h>

static volatile siginfo_t last;
static volatile int handled;
static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)context;
	last = *info;
	last.si_signo = signo == info->si_signo ? signo : -1;
	handled++;
}

/* Wait for the next, then tell its common part. */
static void tell(const char *name, int before)
{
	for (int i = 0; handled == before && i < 2000; i++)
		sleep_us(1000);
	CHECK(handled > before);
	say("%s: signal %d code %d errno %d", name, last.si_signo, last.si_code, last.si_errno);
}

int main(void)
{
	int fds[2], before = 0;
	timer_t timer;
	pid_t child;
	for (int i = 1; i <= SIGRTMIN + 2; i++)
		if (i != SIGKILL && i != SIGSTOP && i != SIGABRT && (i < 32 || i >= SIGRTMIN) && i != SIGSEGV && i != SIGTRAP)
			handle(i, on_signal, i == SIGCHLD ? SA_RESTART : 0);
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1, .sigev_value.sival_int = 4711 };
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	timer_settime(timer, 0, &(struct itimerspec){ .it_value = { 0, 2000000 } }, NULL);
	tell("timer", before);
	CHECK(last.si_value.sival_int == 4711 && last.si_overrun == 0 && timer_delete(timer) == 0);
	before = handled, sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_ptr = (void *)0x123456789abcdef });
	tell("sigqueue", before);
	CHECK(last.si_pid == getpid() && last.si_uid == getuid() && last.si_value.sival_ptr == (void *)0x123456789abcdef);
	before = handled, raise(SIGUSR1);
	tell("raise", before);
	CHECK(last.si_pid == getpid());
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	fcntl(fds[0], F_SETOWN, getpid()), fcntl(fds[0], F_SETSIG, SIGRTMIN + 2), fcntl(fds[0], F_SETFL, O_ASYNC);
	before = handled;
	CHECK(write(fds[1], "x", 1) == 1);
	tell("descriptor", before);
	CHECK(last.si_fd == fds[0]);
	say("band %#lx", last.si_band);
	fcntl(fds[0], F_SETFL, 0), close(fds[0]);
	before = handled;
	CHECK(write(fds[1], "x", 1) == -1 && errno == EPIPE);
	tell("broken pipe", before);
	char name[32];
	snprintf(name, sizeof(name), "/guest-%d", getpid());
	mqd_t queue = mq_open(name, O_RDWR | O_CREAT, 0600, NULL);
	if (queue != -1) {
		event.sigev_signo = SIGUSR2, event.sigev_value.sival_int = 77;
		CHECK(mq_notify(queue, &event) == 0);
		before = handled;
	CHECK(mq_send(queue, "x", 1, 0) == 0);
		tell("message", before);
		CHECK(last.si_value.sival_int == 77 && mq_unlink(name) == 0);
	}
	before = handled;
	if ((child = fork()) == 0)
		for (;;)
			pause();
	for (int i = 0; i < 3; i++) {
		before = handled, signal_child(child, (int[]){ SIGSTOP, SIGCONT, SIGKILL }[i]);
		tell("child", before);
		CHECK(last.si_pid == child);
		say("status %d", last.si_status);
	}
	CHECK_EQ(wait_child(child), 0x200 | SIGKILL);
	if ((child = fork()) == 0) {
		before = handled, setrlimit(RLIMIT_CPU, &(struct rlimit){ 0, 3 });
		while (handled == before)
			raw0(SYS_getppid);
		_exit(last.si_signo == SIGXCPU ? last.si_code & 0xff : 99);
	}
	say("processor time: %#x", wait_child(child));
	return 0;
}
