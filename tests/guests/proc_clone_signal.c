/* proc_clone_signal - row 14: the signal that tells of a child's end: none, ordinary, real-time, and those whose
 * si_code then looks like a fault's or a dispatched call's; into program code, calls and waits */
#include "start.h"

static volatile int handled, code, of_child, status;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)context;
	handled++, code = info->si_code, of_child = info->si_pid, status = info->si_status;
}

static int child(void *way)
{
	sleep_us(3000);
	if ((long)way & 1)
		raw2(SYS_kill, raw0(SYS_getpid), SIGKILL);
	return 60;
}

/* In program code only: clock_gettime is the vDSO's. */
static void spin_ms(long ms)
{
	struct timespec start, now;
	clock_gettime(CLOCK_MONOTONIC, &start);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < ms);
}

static void until_ended(pid_t pid)
{
	siginfo_t info;
	do
		info.si_pid = 0;
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | __WALL) != 0 && errno == EINTR);
}

/* The child ends 0, 1: while the parent has the signal blocked, and spins; 2, 3: while it spins; 4, 5: while it makes
 * calls; 6, 7: while it waits. Odd: by a signal. */
static void try(int signo, long way)
{
	struct clone_args args = { .exit_signal = (uint64_t)signo };
	sigset_t set, pending;
	int result;
	handled = code = of_child = status = 0;
	sigemptyset(&set);
	if (signo)
		sigaddset(&set, signo);
	if (way < 2)
		sigprocmask(SIG_BLOCK, &set, NULL);
	pid_t pid = (pid_t)start3(&args, sizeof(args), child, (void *)way);
	CHECK(pid > 0);
	if (way < 2) {
		spin_ms(6);
		until_ended(pid);
		CHECK(sigpending(&pending) == 0 && (!signo || sigismember(&pending, signo)) && !handled);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
	} else if (way < 4 && signo) {
		while (!handled)
			;
	} else if (way < 6 && signo) {
		while (!handled)
			CHECK_EQ(raw1(SYS_close, -1), -EBADF);
	} else {
		until_ended(pid);
	}
	if (signo == SIGCHLD) {
		CHECK(waitpid(pid, &result, 0) == pid);
	} else {
		CHECK(waitpid(pid, &result, WNOHANG) == -1 && errno == ECHILD);
		CHECK(waitpid(pid, &result, way % 4 < 2 ? __WCLONE : __WALL) == pid);
	}
	CHECK_EQ(handled, signo != 0);
	if (signo) {
		CHECK_EQ(of_child, pid);
		CHECK_EQ(code, way & 1 ? CLD_KILLED : CLD_EXITED);
		CHECK_EQ(status, way & 1 ? SIGKILL : 60);
	}
	CHECK_EQ(result, way & 1 ? SIGKILL : 60 << 8);
}

int main(void)
{
	const int signals[] = { 0, SIGUSR1, SIGURG, SIGRTMIN, SIGSYS, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGCHLD };
	for (size_t i = 0; i < COUNT_OF(signals); i++) {
		int signo = signals[i];
		if (signo)
			handle(signo, on_signal, SA_RESTART);
		for (long way = 0; way < 8; way++)
			try(signo, way);
		say("signal %d", signo);
	}
	return 0;
}
