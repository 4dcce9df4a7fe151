/* jit_protect_race - rows 1, 2, 6: the protection of code changes between executable with and without write, and fresh
 * sites appear in it, while other threads run its sites, whose numbers come by mov or in a register */
#include "life.h"

enum { THREADS = 3, ROUNDS = 20000 };

static unsigned char *page;
static _Atomic bool is_over;

static void *runner(void *unused)
{
	long calls = 0;
	while (!is_over)
		for (int i = 0; i < SPOTS; i++, calls++)
			run_site(after_spot(page, i), i % 2);
	CHECK(calls > 0);
	return unused;
}

int main(void)
{
	pthread_t threads[THREADS];
	page = fill_sites(map_pages(2, PROT_RW));
	protect(page, 2, PROT_RX);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, runner, NULL) == 0);
	for (int round = 0; round < ROUNDS; round++) {
		protect(page, 1 + round % 2, PROT_RWX);
		put_call(page + 2048 + 8 * (round % 256), SYS_getuid);   /* beside what the others run */
		if (round % 3)
			protect(page, 1, PROT_RX);
		CHECK_EQ(call_at(page + 2048 + 8 * (round % 256), 0, 0, 0), getuid());
	}
	is_over = true;
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	say("%d rounds", ROUNDS);
	return 0;
}
