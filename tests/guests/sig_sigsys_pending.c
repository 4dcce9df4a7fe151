/* sig_sigsys_pending - row 12: a blocked SIGSYS is pending, shows in sigpending, waits for unblocking, sigtimedwait or signalfd. needs the real getpid */
#include "guest.h"
#include <sys/signalfd.h>

static volatile int handled;

static void on_sigsys(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info, (void)context;
	handled++;
}

int main(void)
{
	sigset_t set, pending;
	siginfo_t info;
	struct signalfd_siginfo read_info;
	handle(SIGSYS, on_sigsys, 0);
	sigemptyset(&set), sigaddset(&set, SIGSYS);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_NONBLOCK);
	for (int round = 0; round < 5; round++) {
		CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGSYS));
		CHECK(read(fd, &read_info, sizeof(read_info)) == -1 && errno == EAGAIN);
		raise(SIGSYS);
		CHECK(handled == round && raw0(SYS_getuid) == getuid());
		CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGSYS));
		CHECK_EQ(sigtimedwait(&set, &info, &(struct timespec){ 5, 0 }), SIGSYS);
		CHECK_EQ(info.si_code, SI_USER);
		CHECK(sigtimedwait(&set, &info, &(struct timespec){ 0, 0 }) == -1 && errno == EAGAIN);
		raise(SIGSYS);
		CHECK_EQ(read(fd, &read_info, sizeof(read_info)), sizeof(read_info));
		CHECK_EQ(read_info.ssi_signo, SIGSYS);
		raise(SIGSYS);
		CHECK_EQ(handled, round);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		CHECK_EQ(handled, round + 1);
		sigprocmask(SIG_BLOCK, &set, NULL);
	}
	say("%d handlers", handled);
	return 0;
}
