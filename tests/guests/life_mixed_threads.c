/* life_mixed_threads - row 2: threads map, call and replace code at once, each in a page of its own beside the
 * others' */
#include "life.h"

enum { THREADS = 4, ROUNDS = 60 };

static unsigned char *all;

/* Only sites and calls that arrive: a fault's handler is for one thread. */
static void *body(void *argument)
{
	unsigned char *page = all + (long)argument * CODE_PAGE;
	for (int round = 0; round < ROUNDS; round++) {
		fill_sites(map_again(page));
		protect(page, 1, round % 2 ? PROT_RX : PROT_RWX);
		run_sites(page);
		if (round % 3 == 0)
			CHECK(madvise(page, CODE_PAGE, MADV_DONTNEED) == 0);
		protect(page, 1, PROT_RW);
		fill_calls(page);
		protect(page, 1, PROT_RX);
		for (int i = 0; i < SPOTS; i++) {
			unsigned char *after = after_spot(page, i);
			if (i / 2 % OWN_CALLS == OWN_BY_RDI)
				CHECK_EQ(call_at(after - own_calls[OWN_BY_RDI].before, (long)(uintptr_t)own_target, 0, 0), 4711);
			if (i / 2 % OWN_CALLS == OWN_NOPS)
				CHECK_EQ(call_at(after - own_calls[OWN_NOPS].before, 0, 0, 0), 39);
		}
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	all = map_pages(THREADS, PROT_NONE);
	for (long i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, body, (void *)i) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	say("%d threads", THREADS);
	return 0;
}
