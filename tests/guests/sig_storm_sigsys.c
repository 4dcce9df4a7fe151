/* sig_storm_sigsys - signals.md sections 3 and 7: a storm of tgkill(SIGSYS) at a thread that makes calls: no call is lost. needs the real getpid */
#include "code.h"

static volatile int handled, stop;
static pid_t target;

static void on_sigsys(int signo, siginfo_t *info, void *context)
{
	(void)context;
	CHECK(signo == SIGSYS && info->si_code == SI_TKILL);
	handled++;
}

static void *send_all(void *unused)
{
	while (!stop)
		CHECK(syscall(SYS_tgkill, target, target, SIGSYS) == 0);
	return unused;
}

int main(void)
{
	enum { SITES = 500 };
	pthread_t thread;
	int fd = memfd_create("calls", 0);
	unsigned char *page = map_pages(32, PROT_RW);
	for (int i = 0; i < SITES; i++)
		put_call(page + 64 * i, SYS_lseek);
	protect(page, 32, PROT_RX);
	handle(SIGSYS, on_sigsys, SA_RESTART);
	target = getpid();
	CHECK(pthread_create(&thread, NULL, send_all, NULL) == 0);
	long calls = 0;
	for (int again = 0; again < 3 || handled < 1000; again++)
		for (int i = 0; i < SITES; i++) {
			CHECK_EQ(call_at(page + 64 * i, fd, 1, SEEK_CUR), calls + 1);
			calls++;
		}
	stop = 1;
	pthread_join(thread, NULL);
	say("every call made once");
	return 0;
}
