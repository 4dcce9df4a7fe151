/* jump_flicker_signals - issue 5: as jump_flicker, with a timer whose handler calls by the same sites and checks
 * the pc that it came over */
#include "jump.h"
#include <sys/eventfd.h>

CODE_PAGE_OF_CALLS(page, 1); /* write */
enum { LEAST = 300 };
static int counter;
static volatile int handled;
static volatile bool done;
static long in_handlers;

static void write_by(int i)
{
	CHECK_EQ(mov_in(page, i % 8, counter, (long)&one, 8), 8);
	CHECK_EQ(cave_in(page, i % 8, SYS_write, counter, (long)&one, 8), 8);
}

static void on_tick(int signo, siginfo_t *info, void *context)
{
	static const int begins[] = { 0, 5, 7, 32, 35, 38, 41, 44, 47, 49 };
	long at = reg(context, REG_RIP) - (long)page;
	bool found = at < 0 || at >= CODE_PAGE;
	(void)signo, (void)info;
	for (size_t i = 0; i < COUNT_OF(begins); i++)
		found |= at % 64 == begins[i];
	CHECK(found);
	write_by(handled++);
	in_handlers += 2;
}

static void *flicker(void *unused)
{
	for (int turn = 0; !done; turn++) {
		protect(page, 1, PROT_RWX);
		sleep_us(turn % 3 * 50);
		protect(page, 1, PROT_RX);
		sleep_us(turn % 5 * 100);
	}
	return unused;
}

int main(void)
{
	pthread_t thread;
	sigset_t set;
	long sum = 0;
	CHECK((counter = eventfd(0, 0)) >= 0);
	sigfillset(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	CHECK(pthread_create(&thread, NULL, flicker, NULL) == 0);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	handle(SIGALRM, on_tick, SA_RESTART);
	for (tick_every(1000); handled < LEAST; sum += 2)
		write_by((int)(sum / 2));
	tick_every(0);
	done = true;
	pthread_join(thread, NULL);
	CHECK_EQ(counted(counter), sum + in_handlers);
	say("no call lost");
	return 0;
}
