/* thr_crowd - issue 6: ten thousand threads, alive at once, each hooked, and the first one's calls beside them */
#include "guest.h"

enum { THREADS = 10000 };
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static _Atomic long there;

static void *body(void *argument)
{
	CHECK(raw0(SYS_getppid) > 0);
	there++;
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	CHECK(raw0(SYS_getppid) > 0);
	return argument;
}

int main(void)
{
	static pthread_t threads[THREADS];
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	pthread_mutex_lock(&gate);
	for (long i = 0; i < THREADS; i++) {
		int error = pthread_create(&threads[i], &small, body, (void *)i);
		if (error == EAGAIN)
			SKIP("no more than %ld threads", i);
		CHECK_EQ(error, 0);
	}
	while (there < THREADS)
		usleep(1000);
	CHECK(getppid() > 0);
	pthread_mutex_unlock(&gate);
	for (long i = 0; i < THREADS; i++) {
		void *result;
		CHECK(pthread_join(threads[i], &result) == 0 && result == (void *)i);
	}
	say("%d threads", THREADS);
	return 0;
}
