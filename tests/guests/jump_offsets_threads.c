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
	enum { PIECE = 128 + 1, PAGES = SITES * PIECE / CODE_PAGE + 1, NOP = 0x90 };
	static unsigned char image[PAGES * CODE_PAGE];
	CHECK((counter = eventfd(0, 0)) >= 0);
	memset(image, NOP, sizeof(image)); /* so that the mov is seen to be an instruction */
	for (int i = 0; i < SITES; i++) /* 32 pieces make 4128 bytes: every offset of a line, and pages' ends on the way */
		put_call(image + PIECE * i, SYS_write);
	unsigned char *pages = file_code(code_file(image, sizeof(image)), PAGES, NULL, 0);
	for (int i = 0; i < SITES; i++)
		code[i] = pages + PIECE * i;
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, body, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	say("%ld calls", counted(counter));
	return 0;
}
