/* busy.c - the processor time of one call, when several threads make it at once
 *
 *     busy NUMBER THREADS MICROSECONDS
 *
 * All threads call one site, `syscall` behind a mov of NUMBER (39 or 500) to eax, in CHUNKS loops of about
 * MICROSECONDS each. Time is the thread's own on the processors, so it doesn't matter how many of those there are.
 * Prints the median loop's nanoseconds per call, the answer, the bytes of the mov and the site, how many calls were
 * made, and how many of them were answered in another way.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>

#include "timing.h"

enum { CHUNKS = 15, MOST_THREADS = 64, WARM_UP = 200, CODE_SIZE = 7 };

extern const unsigned char busy_39[], busy_500[];

static long expected, count, (*loop)(long calls, long *last);
static pthread_barrier_t start;
static double ns[MOST_THREADS * CHUNKS];
static long wrong[MOST_THREADS];

/* How many were not answered as expected. */
#define BUSY_LOOP(nr)                                                                                                 \
	static __attribute__((noinline, aligned(64))) long loop_##nr(long calls, long *last)                          \
	{                                                                                                             \
		long others = 0, answer = expected, result = 0;                                                       \
														      \
		for (long i = 0; i < calls; i++) {                                                                    \
			__asm__ volatile(".globl busy_" #nr "\nbusy_" #nr ":\n\tmovl $" #nr ", %%eax\n\tsyscall"     \
					 : "=&a"(result) : : "rcx", "r11", "memory");                                 \
			others += result != answer;                                                                   \
		}                                                                                                     \
		*last = result;                                                                                       \
		return others;                                                                                        \
	}
BUSY_LOOP(39)
BUSY_LOOP(500)

/* What the first call answers is expected of all others; the time of some more gives `count`. Returns how many. */
static long size_loop(double chunk_ns)
{
	long made = 1 + WARM_UP, unused;

	loop(1, &expected);
	loop(WARM_UP, &unused);
	for (count = WARM_UP;; count *= 2) {
		double before = cpu_ns(CLOCK_THREAD_CPUTIME_ID), took;

		loop(count, &unused);
		made += count;
		took = cpu_ns(CLOCK_THREAD_CPUTIME_ID) - before;
		if (took >= chunk_ns / 4) {
			count = 1 + (long)((double)count * chunk_ns / took);
			return made;
		}
	}
}

static void *body(void *argument)
{
	long thread = (long)argument, unused;

	pthread_barrier_wait(&start);
	for (int i = 0; i < CHUNKS; i++) {
		double before = cpu_ns(CLOCK_THREAD_CPUTIME_ID);

		wrong[thread] += loop(count, &unused);
		ns[thread * CHUNKS + i] = (cpu_ns(CLOCK_THREAD_CPUTIME_ID) - before) / (double)count;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[MOST_THREADS];
	long threads = argc == 4 ? atol(argv[2]) : 0, others = 0, made;
	const unsigned char *code;

	if (threads < 1 || threads > MOST_THREADS) {
		fprintf(stderr, "usage: busy 39|500 THREADS MICROSECONDS\n");
		return 2;
	}
	loop = strcmp(argv[1], "39") == 0 ? loop_39 : loop_500;
	code = loop == loop_39 ? busy_39 : busy_500;
	made = size_loop(atof(argv[3]) * 1e3);
	pthread_barrier_init(&start, NULL, (unsigned)threads);
	for (long i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, body, (void *)i) != 0)
			return 1;
	for (long i = 0; i < threads; i++) {
		pthread_join(thread[i], NULL);
		others += wrong[i];
	}
	printf("%.3f %ld ", median(ns, (size_t)threads * CHUNKS), expected);
	for (int i = 0; i < CODE_SIZE; i++)
		printf("%02x", code[i]);
	printf(" %ld %ld\n", made + threads * CHUNKS * count, others);
	return 0;
}
