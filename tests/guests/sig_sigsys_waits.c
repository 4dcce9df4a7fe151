/* sig_sigsys_waits - row 12: a SIGSYS that comes while the program waits for it in sigwait, sigwaitinfo, sigtimedwait; is ignored, blocked
 * and ignored, taken once by SA_RESETHAND, let in by sigsuspend. needs the real getpid */
#include "guest.h"

static volatile int handled;
static void on_sigsys(int signo, siginfo_t *info, void *context) { (void)signo, (void)context; handled += info->si_code <= 0; }

static void *send_later(void *main_thread)
{
	wait_asleep(getpid(), getpid());
	CHECK(pthread_kill(*(pthread_t *)main_thread, SIGSYS) == 0);
	return NULL;
}

int main(void)
{
	sigset_t set, none;
	siginfo_t info;
	pthread_t self = pthread_self(), thread;
	int signo = 0;
	sigemptyset(&none), sigemptyset(&set), sigaddset(&set, SIGSYS);
	handle(SIGSYS, on_sigsys, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int round = 0; round < 9; round++) {
		CHECK(pthread_create(&thread, NULL, send_later, &self) == 0);
		if (round % 3 == 0)
			CHECK(sigwait(&set, &signo) == 0 && signo == SIGSYS);
		else if (round % 3 == 1)
			CHECK(sigwaitinfo(&set, &info) == SIGSYS && info.si_pid == getpid());
		else
			CHECK(sigtimedwait(&set, &info, &(struct timespec){ 5, 0 }) == SIGSYS && info.si_pid == getpid());
		pthread_join(thread, NULL);
		CHECK(handled == 0 && sigpending(&none) == 0 && sigisemptyset(&none));
	}
	CHECK(pthread_create(&thread, NULL, send_later, &self) == 0);
	CHECK(sigsuspend(&none) == -1 && errno == EINTR && handled == 1);
	pthread_join(thread, NULL);
	raise(SIGSYS);
	signal(SIGSYS, SIG_IGN);   /* drops it */
	CHECK(sigpending(&none) == 0 && sigisemptyset(&none));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(SIGSYS), kill(getpid(), SIGSYS);
	CHECK(handled == 1 && raw0(SYS_getuid) == getuid());
	handle(SIGSYS, on_sigsys, (int)SA_RESETHAND);
	raise(SIGSYS);
	CHECK(handled == 2 && signal(SIGSYS, SIG_DFL) == SIG_DFL);
	pid_t child = fork();
	if (child == 0) {
		handle(SIGSYS, on_sigsys, (int)SA_RESETHAND);
		raise(SIGSYS), raise(SIGSYS);
		_exit(0);
	}
	say("%d handled, child %#x", handled, wait_child(child));
	return 0;
}
