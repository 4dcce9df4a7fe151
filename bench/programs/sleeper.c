/* sleeper.c - calls SITES functions with a system call each, starts THREADS threads that make one each, says "ready"
 * and how many of the sites were rewritten, and sleeps (bench/footprint)
 *
 *     sleeper [THREADS [SITES]]
 *
 * The functions are the text of a library (many.S); of a copy of them, taken before, nothing is left.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "many.h"

static pthread_barrier_t started;

static void *sleep_on(void *unused)
{
	(void)unused;
	(void)getppid();
	pthread_barrier_wait(&started);
	for (;;)
		pause();
	return NULL;
}

/* Returns how many are rewritten, or -1. */
static long call_sites(long sites)
{
	unsigned char *functions = many_library();
	void *copy = mmap(NULL, MANY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long rewritten;

	if (copy == MAP_FAILED || sites > MANY_FUNCTIONS)
		return -1;
	memcpy(copy, functions, MANY_BYTES);
	for (long i = 0; i < sites; i++)
		if (many_get(functions, i)() != getpid())
			return -1;
	rewritten = many_rewritten(functions, copy);
	munmap(copy, MANY_BYTES);
	return rewritten;
}

int main(int argc, char **argv)
{
	int threads = argc > 1 ? atoi(argv[1]) : 0;
	long rewritten = argc > 2 ? call_sites(atol(argv[2])) : 0;

	pthread_barrier_init(&started, NULL, (unsigned)threads + 1);
	for (int i = 0; i < threads; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, sleep_on, NULL) != 0)
			return 1;
	}
	pthread_barrier_wait(&started);
	if (rewritten < 0 || dprintf(STDOUT_FILENO, "ready %ld\n", rewritten) < 0)
		return 1;
	for (;;)
		pause();
}
