/* thr_churn - row 25: thousands of threads, one after another and fifty at a time, leave no memory behind. GUEST_THREADS: how many */
#include "guest.h"

enum { BATCH = 50, PAGES = 512 /* 2 MiB */, MAPPINGS = 8 };

static pthread_barrier_t all;

static void *body(void *argument)
{
	if (argument)
		pthread_barrier_wait(&all);
	return raw0(SYS_getppid) > 0 ? argument : "";
}

static void make(int threads, int at_once, void *argument)
{
	static pthread_t thread[BATCH];
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	for (int i = 0; i < threads; i += at_once) {
		for (int k = 0; k < at_once; k++)
			CHECK(pthread_create(&thread[k], &small, body, argument) == 0);
		for (int k = 0; k < at_once; k++) {
			void *result;
			CHECK(pthread_join(thread[k], &result) == 0 && result == argument);
		}
	}
}

static void measure(long seen[3])
{
	FILE *file = fopen("/proc/self/statm", "r");
	CHECK(file && fscanf(file, "%ld %ld", &seen[0], &seen[1]) == 2 && fclose(file) == 0 && (file = fopen("/proc/self/maps", "r")));
	for (seen[2] = 0; !feof(file); seen[2] += getc(file) == '\n')
		;
	fclose(file);
}

int main(void)
{
	long before[3], after[3];
	int threads = getenv("GUEST_THREADS") ? atoi(getenv("GUEST_THREADS")) : 8000;
	pthread_barrier_init(&all, NULL, BATCH);
	make(2 * BATCH, BATCH, &all);   /* all alive at once: stacks that libc keeps, and whatever else is kept */
	measure(before);
	make(threads / 2, 1, NULL);
	make(threads / 2, BATCH, NULL);
	measure(after);
	for (int i = 0; i < 3; i++)
		if (after[i] > before[i] + (i < 2 ? PAGES : MAPPINGS))
			FAIL("%s grew from %ld to %ld", (char *[]){ "size", "resident", "maps" }[i], before[i], after[i]);
	say("nothing grew");
	return 0;
}
