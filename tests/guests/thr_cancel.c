/* thr_cancel - row 13: pthread_cancel of a thread blocked in read and in a loop of calls, cleanup handlers run. needs the real getpid */
#include "guest.h"

static int cleaned;
static int fds[2];

static void cleanup(void *argument)
{
	__atomic_add_fetch((int *)argument, 1, __ATOMIC_RELAXED);
}

static void *body(void *argument)
{
	char byte;
	pthread_cleanup_push(cleanup, &cleaned);
	if (argument)
		read(fds[0], &byte, 1);
	for (;;)
		lseek(fds[0], 0, SEEK_CUR), pthread_testcancel();
	pthread_cleanup_pop(0);
	return NULL;
}

int main(void)
{
	CHECK(pipe(fds) == 0);
	for (long i = 0; i < 40; i++) {
		pthread_t thread;
		void *result;
		CHECK(pthread_create(&thread, NULL, body, (void *)(i % 2)) == 0);
		sleep_us(2000);
		CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
	}
	say("%d cancelled", cleaned);
	return 0;
}
