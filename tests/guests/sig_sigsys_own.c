/* sig_sigsys_own - row 12: the program's own SIGSYS handler, by raise, kill, sigqueue; calls go on before, in and after. needs the real getpid */
#include "guest.h"

static volatile int handled, sum;

static void on_sigsys(int signo, siginfo_t *info, void *context)
{
	static const int codes[] = { SI_TKILL, SI_USER, SI_QUEUE };
	sigset_t now;
	CHECK(signo == SIGSYS && context);
	CHECK_EQ(info->si_code, codes[handled % 3]);
	sum += handled % 3 == 2 ? info->si_value.sival_int : 0;
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(sigismember(&now, SIGSYS) && raw0(SYS_getuid) == getuid());
	handled++;
}

int main(void)
{
	handle(SIGSYS, on_sigsys, 0);
	for (int round = 0; round < 30; round++) {
		raise(SIGSYS);
		CHECK_EQ(handled, 3 * round + 1);
		kill(getpid(), SIGSYS);
		CHECK_EQ(handled, 3 * round + 2);
		sigqueue(getpid(), SIGSYS, (union sigval){ .sival_int = round });
		CHECK_EQ(handled, 3 * round + 3);
	}
	CHECK_EQ(sum, 29 * 30 / 2);
	say("%d handlers", handled);
	return 0;
}
