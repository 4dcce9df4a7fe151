/* jump_flicker - issue 5: a thread makes code writable, with execution, and back, while others call it by mov and
 * by cave; each call counts once */
#include "jump.h"
#include <sys/eventfd.h>

CODE_PAGE_OF_CALLS(page, 1); /* write */
enum { THREADS = 3, TURNS = 300, LEAST = 20000 };
static int counter;
static volatile bool done;

static void *body(void *unused)
{
	long calls = 0;
	(void)unused;
	while (!done || calls < LEAST) {
		int i = (int)(calls / 2 % 6);
		CHECK_EQ(mov_in(page, i, counter, (long)&one, 8), 8);
		CHECK_EQ(cave_in(page, i, SYS_write, counter, (long)&one, 8), 8);
		calls += 2;
	}
	return (void *)calls;
}

int main(void)
{
	pthread_t threads[THREADS];
	long sum = 0;
	CHECK((counter = eventfd(0, 0)) >= 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, body, NULL) == 0);
	for (int turn = 0; turn < TURNS; turn++) {
		protect(page, 1, PROT_RWX);
		sleep_us(turn % 3 * 100);
		protect(page, 1, PROT_RX);
		sleep_us(turn % 5 * 100);
	}
	done = true;
	for (int i = 0; i < THREADS; i++) {
		void *calls;
		pthread_join(threads[i], &calls);
		sum += (long)calls;
	}
	CHECK_EQ(counted(counter), sum);
	say("%d turns, no call lost", TURNS);
	return 0;
}
