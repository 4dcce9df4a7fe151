/* thr_tls - issue 2.4: eight pthreads with thread-local data, each hooked from its first call; errno stays their own */
#include "code.h"

static __thread long mine;
static unsigned char *page;

static void *body(void *argument)
{
	long number = (long)argument;
	mine = number * 1000;
	for (int i = 0; i < 2000; i++) {
		CHECK_EQ(call_at(page + 64 * (i % 60), 0, 0, 0), getuid());
		errno = (int)number;
		CHECK(raw0(SYS_getuid) == getuid() && errno == number);
		CHECK(close(-1) == -1 && errno == EBADF);
		mine++;
	}
	CHECK_EQ(gettid(), raw0(SYS_gettid));
	return (void *)mine;
}

int main(void)
{
	pthread_t threads[8];
	page = map_pages(1, PROT_RW);
	for (int i = 0; i < 60; i++)
		put_call(page + 64 * i, SYS_getuid);
	protect(page, 1, PROT_RX);
	for (long i = 0; i < 8; i++)
		CHECK(pthread_create(&threads[i], NULL, body, (void *)i) == 0);
	for (long i = 0; i < 8; i++) {
		void *result;
		CHECK(pthread_join(threads[i], &result) == 0);
		say("thread %ld: %ld", i, (long)result);
	}
	return 0;
}
