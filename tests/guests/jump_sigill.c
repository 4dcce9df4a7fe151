/* jump_sigill - issue 5: fresh sites met by threads that block SIGILL, or all signals, or ignore it; the program's
 * own ud2 and bad bytes reach its handler meanwhile */
#include "jump.h"
#include <sys/eventfd.h>

CODE_PAGE_OF_CALLS(page, 1); /* write */
FUNCTION(bad, ".byte 0x06; movl $102,%eax; syscall; ret");
extern call_function bad;
extern unsigned char bad_code[] asm("bad");
enum { THREADS = 6, TIMES = 8 };
static int counter;
static volatile int faults;
static pthread_barrier_t barrier;

static void on_ill(int signo, siginfo_t *info, void *context)
{
	CHECK(signo == SIGILL && info->si_code == ILL_ILLOPN && info->si_addr == (void *)bad_code);
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP]++;
	faults++;
}

static void *body(void *argument)
{
	sigset_t set;
	sigfillset(&set);
	if (argument)
		pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < CALLS; i++) {
		pthread_barrier_wait(&barrier);
		for (int again = 0; again < TIMES; again++) {
			CHECK_EQ(mov_in(page, i, counter, (long)&one, 8), 8);
			CHECK_EQ(cave_in(page, i, SYS_write, counter, (long)&one, 8), 8);
		}
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	CHECK((counter = eventfd(0, 0)) >= 0);
	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (long i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, body, (void *)(i % 2)) == 0);
	for (int i = 0; i < CALLS; i++) {
		if (i % 2)
			handle(SIGILL, on_ill, 0);
		else
			signal(SIGILL, SIG_IGN);
		pthread_barrier_wait(&barrier);
		if (i % 2)
			CHECK_EQ(bad(0, 0, 0), getuid());
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(faults, CALLS / 2);
	say("%ld calls, %d faults", counted(counter), faults);
	return 0;
}
