/* storm.c - the processor time of the first calls of many sites, when several threads make them at once
 *
 *     storm HOW THREADS
 *
 * HOW same    every thread calls all sites, in the same order
 *     apart   each calls its own share: the next site is another thread's
 *
 * The sites are those of many.S, in the text of a library. Who finds one being rewritten by another thread leaves it
 * for its next call, so they are called until all are rewritten, and once more, which tells what a call costs then. All
 * threads begin each pass together.
 * Prints nanoseconds of processor time, of all threads together, over what later calls cost: per call of the first
 * pass, and per site until all are rewritten; how many were after the first pass, and after the last one; how many
 * passes that took; how many calls did not give BENCH_ANSWER.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "bench.h"
#include "many.h"
#include "timing.h"

enum { MOST_PASSES = 4000, MOST_THREADS = 64 };

static unsigned char original[MANY_BYTES], *functions;
static long threads, passes, rewritten_first, rewritten;
static bool is_apart;
static pthread_barrier_t barrier;
static struct { double first, all, last; long wrong; } of[MOST_THREADS];

static long call_all(long first, long step)
{
	long wrong = 0;

	for (long i = first; i < MANY_FUNCTIONS; i += step)
		wrong += many_get(functions, i)() != BENCH_ANSWER;
	return wrong;
}

/* Nanoseconds. */
static double pass(long thread)
{
	double before;

	pthread_barrier_wait(&barrier);
	before = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
	of[thread].wrong += is_apart ? call_all(thread, threads) : call_all(0, 1);
	return cpu_ns(CLOCK_THREAD_CPUTIME_ID) - before;
}

static void *body(void *argument)
{
	long thread = (long)argument;

	do {
		double took = pass(thread);

		if (passes == 0)
			of[thread].first = took;
		of[thread].all += took;
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
			rewritten = many_rewritten(functions, original);
			rewritten_first = passes++ ? rewritten_first : rewritten;
		}
		pthread_barrier_wait(&barrier);
	} while (rewritten < MANY_FUNCTIONS && passes < MOST_PASSES);
	of[thread].last = pass(thread);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[MOST_THREADS];
	double first = 0, all = 0;
	long wrong = 0, calls;

	threads = argc == 3 ? atol(argv[2]) : 0;
	if (threads < 1 || threads > MOST_THREADS) {
		fprintf(stderr, "usage: storm same|apart THREADS\n");
		return 2;
	}
	is_apart = strcmp(argv[1], "apart") == 0;
	calls = is_apart ? MANY_FUNCTIONS : MANY_FUNCTIONS * threads;
	functions = many_library();
	memcpy(original, functions, MANY_BYTES);   /* and its pages are there */
	pthread_barrier_init(&barrier, NULL, (unsigned)threads);
	for (long i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, body, (void *)i) != 0)
			return 1;
	for (long i = 0; i < threads; i++) {
		pthread_join(thread[i], NULL);
		wrong += of[i].wrong;
		first += of[i].first - of[i].last;
		all += of[i].all - of[i].last * (double)passes;
	}
	printf("%.1f %.1f %ld %ld %ld %ld\n", first / (double)calls, all / MANY_FUNCTIONS, rewritten_first, rewritten, passes,
	       wrong);
	return 0;
}
