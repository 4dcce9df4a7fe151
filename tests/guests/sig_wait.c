/* sig_wait - row 11: sigwaitinfo, sigtimedwait, sigwait, signalfd, sigpending. needs the real getpid */
#include "guest.h"
#include <sys/signalfd.h>
/* glibc shows SI_TKILL as SI_USER in sigwaitinfo and sigtimedwait */

int main(void)
{
	sigset_t set, pending;
	siginfo_t info;
	int signo, fd;
	struct signalfd_siginfo read_info[4];
	sigemptyset(&set), sigaddset(&set, SIGUSR1), sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK((fd = signalfd(-1, &set, SFD_CLOEXEC)) >= 0);
	for (int round = 0; round < 20; round++) {
		sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = round });
		sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = round + 1 });
		raise(SIGUSR1);
		CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1) && sigismember(&pending, SIGRTMIN));
		CHECK(sigwaitinfo(&set, &info) == SIGUSR1 && info.si_code == SI_USER);
		CHECK(sigtimedwait(&set, &info, &(struct timespec){ 1, 0 }) == SIGRTMIN && info.si_value.sival_int == round);
		CHECK(sigwait(&set, &signo) == 0 && signo == SIGRTMIN);
		CHECK(sigtimedwait(&set, &info, &(struct timespec){ 0, 100000 }) == -1 && errno == EAGAIN);
		raise(SIGUSR1);
		sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 77 });
		CHECK_EQ(read(fd, read_info, sizeof(read_info)), 2 * sizeof(read_info[0]));
		CHECK(read_info[0].ssi_signo == SIGUSR1 && read_info[1].ssi_int == 77);
		CHECK(sigpending(&pending) == 0 && sigisemptyset(&pending));
	}
	say("20 rounds");
	return 0;
}
