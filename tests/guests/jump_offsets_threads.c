/* jump_offsets_threads - issue 5: fresh sites at every offset of a cache line and around a page's end, met by 6
 * threads at once; calls counted */
#include "jump.h"
#include <sys/eventfd.h>

enum { THREADS = 6, SITES = 300, TIMES = 20 };
static unsigned char *code[SITES];
static int counter;
static pthread_barrier_t barrier;

static void *body(void *unused)
{
	for (int i = 0; i < SITES; i++) {
		pthread_barrier_wait(&barrier);
		for (int again = 0; again < TIMES; again++)
			CHECK_EQ(call_at(code[i], counter, (long)&one, 8), 8);
	}
	return unused;
}

int main(void)
{
	pthread_t threads[THREADS];
	enum { PIECE = 128 + 1, PAGES = SITES * PIECE / CODE_PAGE + 1 };
	unsigned char *pages = map_pages(PAGES, PROT_RW);
	CHECK((counter = eventfd(0, 0)) >= 0);
	for (int i = 0; i < SITES; i++) /* 32 pieces make 4128 bytes: every offset of a line, and pages' ends on the way */
		code[i] = put_call(pages + PIECE * i, SYS_write);
	protect(pages, PAGES, PROT_RX);
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, body, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	say("%ld calls", counted(counter));
	return 0;
}
