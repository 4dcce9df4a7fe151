/* jump_hammer - issue 5: 16 threads meet fresh sites, by mov and by cave, at the same moment; each call happens
 * exactly once */
#include "jump.h"
#include <sys/eventfd.h>

CODE_PAGE_OF_CALLS(page, 1); /* write */
enum { THREADS = 16, TIMES = 12 };
static int counter;
static pthread_barrier_t barrier;

static void *body(void *unused)
{
	for (int i = 0; i < CALLS; i++) {
		pthread_barrier_wait(&barrier);
		for (int again = 0; again < TIMES; again++) {
			CHECK_EQ(mov_in(page, i, counter, (long)&one, 8), 8);
			CHECK_EQ(cave_in(page, i, SYS_write, counter, (long)&one, 8), 8);
		}
	}
	return unused;
}

int main(void)
{
	for (int round = 0; round < 4; round++) {
		pthread_t threads[THREADS];
		CHECK((counter = eventfd(0, 0)) >= 0);
		pthread_barrier_init(&barrier, NULL, THREADS);
		for (int i = 0; i < THREADS; i++)
			CHECK(pthread_create(&threads[i], NULL, body, NULL) == 0);
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		say("%ld calls", counted(counter));
		close(counter);
		protect(page, 1, PROT_RW); /* all fresh once more */
		protect(page, 1, PROT_RX);
	}
	return 0;
}
