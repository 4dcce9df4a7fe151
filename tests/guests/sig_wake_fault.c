/* sig_wake_fault - rows 11, 12: a sent SIGSEGV interrupts a read that begins at the same moment: it never sleeps on */
#include "guest.h"

enum { ROUNDS = 20000 };
static volatile int handled;
static pid_t reader;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
	handled++;
}

static void *send_all(void *unused)
{
	for (int round = 0; round < ROUNDS; round++) {
		int before = handled, waited = 0;
		for (volatile int pause = round * 37 % 3000; pause > 0; pause--)
			;
		CHECK(syscall(SYS_tgkill, getpid(), reader, SIGSEGV) == 0);
		while (handled == before && waited++ < 100000)
			sleep_us(100);
		if (handled == before)
			FAIL("round %d: the reader sleeps on", round);
	}
	say("%d rounds", ROUNDS);
	_exit(0);
	return unused;
}

int main(void)
{
	pthread_t thread;
	int ends[2];
	char byte;
	reader = gettid();
	handle(SIGSEGV, on_signal, 0);
	CHECK(pipe(ends) == 0 && pthread_create(&thread, NULL, send_all, NULL) == 0);
	for (;;)
		raw3(SYS_read, ends[0], &byte, 1);
}
