/* proc_fault_at_birth - rows 11, 14: a SIGSEGV and its kin, sent to a child or thread that has hardly begun, ends the
 * one and is handled in the other */
#include "guest.h"

enum { TIMES = 200 };
static volatile int handled, is_sent;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
	handled++;
}

static void *wait_for_it(void *unused)
{
	while (!is_sent)
		sleep_us(100);
	return unused;
}

int main(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGUSR1 };
	for (size_t i = 0; i < COUNT_OF(signals); i++) {
		int died = 0;
		for (int n = 0; n < TIMES; n++) {
			pid_t child = fork();
			if (child == 0) {
				sleep_us(100000);
				_exit(0);
			}
			signal_child(child, signals[i]);
			died += wait_child(child) == (0x200 | signals[i]);
		}
		handle(signals[i], on_signal, 0);
		handled = 0;
		for (int n = 0; n < TIMES; n++) {
			pthread_t thread;
			is_sent = 0;
			CHECK(pthread_create(&thread, NULL, wait_for_it, NULL) == 0);
			CHECK(pthread_kill(thread, signals[i]) == 0);
			is_sent = 1;
			CHECK(pthread_join(thread, NULL) == 0);
		}
		say("signal %d: %d died, %d handled", signals[i], died, handled);
	}
	return 0;
}
