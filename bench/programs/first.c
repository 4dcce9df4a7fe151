/* first.c - the time of the first call of a site, for many sites
 *
 *     first HOW MEMORY THREAD
 *
 * HOW    bare     the calls go to a bare SUD signal handler (sud.c)
 *        plain    to whatever is there: the agent, or the kernel
 * MEMORY rx       private memory, written, then read-only and executable
 *        file     text of a shared library
 *        rwx      private memory that stays writable
 *        wx       private memory, each page made writable, written and made executable again before its calls
 * THREAD none     or a second thread, which is asleep or busy
 *
 * Calls each function of many.S once, and times each call with rdtsc. Prints the median, the 99th percentile and the
 * greatest time in nanoseconds, how many of the sites are rewritten afterwards, and how many calls gave
 * BENCH_ANSWER.
 * Exit status 77: this kernel has no SUD.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "bench.h"
#include "many.h"

enum { PAGE = 4096 };

static unsigned char original[MANY_BYTES];   /* before any call */
static unsigned long ticks[MANY_FUNCTIONS];
static volatile bool is_busy_started;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void set_access(unsigned char *at, size_t size, int protection)
{
	if (mprotect(at, size, protection) != 0)
		fail("mprotect");
}

static unsigned char *map(int protection)
{
	void *at = mmap(NULL, MANY_BYTES, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (at == MAP_FAILED)
		fail("mmap");
	return at;
}

static unsigned char *prepare(const char *memory)
{
	unsigned char *functions;

	if (strcmp(memory, "file") == 0)
		return many_library();   /* read above, so its pages are there */
	functions = map(strcmp(memory, "rwx") == 0 ? PROT_READ | PROT_WRITE | PROT_EXEC : PROT_READ | PROT_WRITE);
	if (strcmp(memory, "wx") == 0) {
		memset(functions, 0xcc, MANY_BYTES);
		set_access(functions, MANY_BYTES, PROT_READ | PROT_EXEC);
		return functions;
	}
	memcpy(functions, original, MANY_BYTES);
	if (strcmp(memory, "rx") == 0)
		set_access(functions, MANY_BYTES, PROT_READ | PROT_EXEC);
	return functions;
}

static void write_page(unsigned char *page, const unsigned char *bytes)
{
	set_access(page, PAGE, PROT_READ | PROT_WRITE);
	memcpy(page, bytes, PAGE);
	set_access(page, PAGE, PROT_READ | PROT_EXEC);
}

static void *second_thread(void *is_busy)
{
	while (*(const bool *)is_busy)
		is_busy_started = true;
	for (;;)
		pause();
	return NULL;
}

static void start_thread(const char *kind)
{
	static bool is_busy;
	pthread_t thread;

	if (strcmp(kind, "none") == 0)
		return;
	is_busy = strcmp(kind, "busy") == 0;
	if (pthread_create(&thread, NULL, second_thread, &is_busy) != 0)
		fail("pthread_create");
	while (is_busy && !is_busy_started)
		;
	usleep(1000);   /* asleep by now */
}

/* Returns how many answers were right. */
static long call_all(unsigned char *functions, bool is_written_late)
{
	long right = 0;

	for (long i = 0; i < MANY_FUNCTIONS; i++) {
		many_function *function = many_get(functions, i);
		unsigned unused;
		unsigned long start;
		long result;

		if (is_written_late && i % (PAGE / MANY_SIZE) == 0)
			write_page(functions + i * MANY_SIZE, original + i * MANY_SIZE);
		_mm_lfence();
		start = __rdtsc();
		result = function();
		ticks[i] = __rdtscp(&unused) - start;
		right += result == BENCH_ANSWER;
	}
	return right;
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double ns_per_tick(void)
{
	double start = now_ns(), end;
	unsigned long from = __rdtsc();

	while ((end = now_ns()) - start < 2e6)
		;
	return (end - start) / (double)(__rdtsc() - from);
}

static int compare_ticks(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: first bare|plain rx|file|rwx|wx none|asleep|busy\n");
		return 2;
	}
	memcpy(original, many_library(), MANY_BYTES);
	unsigned char *functions = prepare(argv[2]);
	double scale = ns_per_tick();

	memset(ticks, 1, sizeof(ticks));
	start_thread(argv[3]);
	if (strcmp(argv[1], "bare") == 0) {
		int r = sud_arm(SUD_LIBC_ONLY);
		if (r != 0) {
			fprintf(stderr, "first: no syscall user dispatch here: %s\n", strerror(-r));
			return 77;
		}
	}
	long right = call_all(functions, strcmp(argv[2], "wx") == 0);

	qsort(ticks, MANY_FUNCTIONS, sizeof(ticks[0]), compare_ticks);
	printf("%.1f %.1f %.1f %ld %ld\n", (double)ticks[MANY_FUNCTIONS / 2] * scale,
	       (double)ticks[MANY_FUNCTIONS * 99 / 100] * scale, (double)ticks[MANY_FUNCTIONS - 1] * scale,
	       many_rewritten(functions, original), right);
	return 0;
}
