/* sig_queued_fault - row 12: a fault signal that the program queues to itself, with the siginfo of a real fault, is a
 * signal like any other: crash handlers raise theirs again so */
#include "guest.h"

static void on_signal(int signal, siginfo_t *info, void *context)
{
	(void)context;
	say("signal %d code %d address %p", signal, info->si_code, info->si_addr);
}

int main(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	for (int again = 0; again < 2; again++)
		for (size_t i = 0; i < COUNT_OF(signals); i++) {
			siginfo_t info = { .si_signo = signals[i], .si_code = 1 };
			info.si_addr = (void *)0x1234;
			handle(signals[i], on_signal, 0);
			CHECK(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), signals[i], &info) == 0);
		}
	return 0;
}
