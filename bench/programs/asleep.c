/* asleep.c - what threads cost that are alive and asleep
 *
 *     asleep THREADS
 *
 * Makes THREADS threads. Each makes one call of a site, getpid, and sleeps. Prints processor time of the process, the
 * new threads' included, per thread, in nanoseconds: for those around number WINDOW, and for the last WINDOW; the time
 * of a call of the first thread, alone, and beside all others; KiB of private dirty memory, and of page tables, that
 * the threads have added, and how many mappings; the answer of the first call, and how many others there were.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

#include "timing.h"

enum { WINDOW = 100, CALLS = 20000, CHUNKS = 15, STACK = 0x8000 };

static long expected;
static _Atomic long arrived, awaited, wrong;
static sem_t all_are_there, never;
static double chunks[CHUNKS];

static __attribute__((noinline)) long call(void)
{
	long result;

	__asm__ volatile("movl $39, %%eax\n\tsyscall" : "=&a"(result) : : "rcx", "r11", "memory");
	return result;
}

static void *body(void *unused)
{
	(void)unused;
	wrong += call() != expected;
	if (++arrived == awaited)
		sem_post(&all_are_there);
	for (;;)
		sem_wait(&never);
	return NULL;
}

/* Nanoseconds per thread. */
static double make(long count)
{
	double before = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	awaited = arrived + count;
	for (long i = 0; i < count; i++) {
		pthread_t thread;
		int error = pthread_create(&thread, &attributes, body, NULL);

		if (error != 0) {
			fprintf(stderr, "asleep: thread %ld: pthread_create: error %d\n", (long)arrived, error);
			exit(1);
		}
	}
	while (arrived != awaited)
		sem_wait(&all_are_there);
	return (cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - before) / (double)count;
}

static double time_call(void)
{
	for (int chunk = 0; chunk < CHUNKS; chunk++) {
		double before = cpu_ns(CLOCK_THREAD_CPUTIME_ID);

		for (long i = 0; i < CALLS; i++)
			wrong += call() != expected;
		chunks[chunk] = (cpu_ns(CLOCK_THREAD_CPUTIME_ID) - before) / CALLS;
	}
	return median(chunks, CHUNKS);
}

static long mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	long count = 0;
	int c;

	while (file && (c = getc(file)) != EOF)
		count += c == '\n';
	if (file)
		fclose(file);
	return count;
}

int main(int argc, char **argv)
{
	long threads = argc == 2 ? atol(argv[1]) : 0;

	if (threads < 3 * WINDOW / 2 + WINDOW) {
		fprintf(stderr, "usage: asleep THREADS\n");
		return 2;
	}
	sem_init(&all_are_there, 0, 0);
	sem_init(&never, 0, 0);
	expected = call();
	double alone = time_call();
	long dirty = private_dirty_kib(), tables = page_tables_kib(), maps = mappings();

	make(WINDOW / 2);
	double early = make(WINDOW);
	make(threads - WINDOW / 2 - 2 * WINDOW);
	double late = make(WINDOW);
	dirty = private_dirty_kib() - dirty;
	tables = page_tables_kib() - tables;
	maps = mappings() - maps;
	double beside = time_call();

	printf("%.1f %.1f %.3f %.3f %ld %ld %ld %ld %ld\n", early, late, alone, beside, dirty, tables, maps, expected,
	       (long)wrong);
	fflush(stdout);
	_exit(0);   /* all at once */
}
