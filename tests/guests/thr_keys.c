/* thr_keys - row 13: keys of pthread_setspecific() begin empty in each thread and hold what was put there, over system calls */
#include "guest.h"

enum { KEYS = 40, THREADS = 8 };
static pthread_key_t keys[KEYS];

static void *body(void *argument)
{
	for (int i = 0; i < KEYS; i++)
		CHECK(pthread_getspecific(keys[i]) == NULL);
	for (int i = 0; i < KEYS; i++) {
		CHECK(pthread_setspecific(keys[i], (char *)argument + i) == 0);
		getppid();
	}
	for (int i = 0; i < KEYS; i++)
		CHECK(pthread_getspecific(keys[i]) == (char *)argument + i);
	return NULL;
}

int main(void)
{
	for (int i = 0; i < KEYS; i++)
		CHECK(pthread_key_create(&keys[i], NULL) == 0);
	body((void *)4096);
	for (long i = 0; i < 10 * THREADS; i += THREADS) {
		pthread_t threads[THREADS];
		for (long j = 0; j < THREADS; j++)
			CHECK(pthread_create(&threads[j], NULL, body, (void *)((i + j + 2) * 4096)) == 0);
		for (int j = 0; j < THREADS; j++)
			CHECK(pthread_join(threads[j], NULL) == 0);
	}
	say("%d keys in %d threads", KEYS, 10 * THREADS + 1);
	return 0;
}
