/* thr_many - row 25: 2000 threads made and joined, twenty at a time; memory for them is given back */
#include "guest.h"

static void *body(void *argument)
{
	CHECK(raw0(SYS_gettid) == gettid());
	return argument;
}

int main(void)
{
	pthread_attr_t small;
	pthread_t threads[20];
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	long sum = 0;
	for (long i = 0; i < 2000; i += 20) {
		for (long k = 0; k < 20; k++)
			CHECK(pthread_create(&threads[k], &small, body, (void *)(i + k)) == 0);
		for (long k = 0; k < 20; k++) {
			void *result;
			CHECK(pthread_join(threads[k], &result) == 0);
			sum += (long)result;
		}
	}
	CHECK(getppid() > 0);
	say("2000 threads: %ld", sum);
	return 0;
}
