/* sites.c - what a call, a first call and an munmap cost beside many sites
 *
 *     sites HOW COUNT SHORT LONG
 *
 * HOW   calls   functions with a `syscall` each
 *       plain   the same, with two bytes of nop in its place: what the machine's caches cost alone
 * COUNT of them, copies of many.S in one private mapping of a file, are called once each, in their order; then the
 * first SHORT of them over and over, the first LONG, and all.
 *
 * Prints, in nanoseconds of processor time, for a window of WINDOW first calls around number WINDOW, and for the last
 * WINDOW: the median of a call (rdtsc) and the mean; per call in the three cycles; the median munmap of a page with
 * FEW sites before there were others, and beside them all. Then KiB of private dirty memory that the first calls have
 * added (the kernel counts pages of code that were written by /proc/self/mem as clean: not those); how many sites are
 * rewritten; how many calls did not give the answer of the first one; that answer.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#include "many.h"
#include "timing.h"

enum { WINDOW = 1024, FEW = 4, PAGE = 4096, UNMAPS = 301, CHUNKS = 9, CHUNK_CALLS = 200000 };

static unsigned char original[MANY_BYTES];
static long expected, wrong;
static double unmaps[UNMAPS], ticks[WINDOW], chunks[CHUNKS];

static void check(int is_good, const char *what)
{
	if (is_good)
		return;
	perror(what);
	exit(1);
}

/* In a file without a name: memory of files is what every tactic may rewrite. */
static int make_file(long copies)
{
	char name[] = "/tmp/zlazy-bench-XXXXXX";
	int fd = mkstemp(name);

	check(fd >= 0 && unlink(name) == 0, name);
	for (long i = 0; i < copies; i++)
		check(write(fd, original, sizeof(original)) == (ssize_t)sizeof(original), "write");
	return fd;
}

static unsigned char *map(int fd, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_POPULATE, fd, 0);

	check(at != MAP_FAILED, "mmap");
	return at;
}

/* 0f 05 behind mov $__NR_getpid, %eax becomes a nop. */
static void make_plain(void)
{
	static const unsigned char call[] = { 0xb8, 39, 0, 0, 0, 0x0f, 0x05 };

	for (size_t at = 0; at + sizeof(call) <= MANY_BYTES; at++)
		if (memcmp(original + at, call, sizeof(call)) == 0)
			memcpy(original + at + sizeof(call) - 2, "\x66\x90", 2);
}

static void call(unsigned char *functions, long i)
{
	wrong += many_get(functions, i)() != expected;
}

static double median_unmap(int fd)
{
	for (int i = 0; i < UNMAPS; i++) {
		unsigned char *page = map(fd, PAGE);
		unsigned long before;
		unsigned unused;

		for (long k = 0; k < FEW; k++)
			call(page, k);
		_mm_lfence();
		before = __rdtsc();
		check(munmap(page, PAGE) == 0, "munmap");
		unmaps[i] = (double)(__rdtscp(&unused) - before);
	}
	return median(unmaps, UNMAPS);
}

struct first_calls { double median_ticks, mean_ns; };

static struct first_calls call_window(unsigned char *functions, long from)
{
	struct first_calls took = { 0, -cpu_ns(CLOCK_THREAD_CPUTIME_ID) };

	for (long i = 0; i < WINDOW; i++) {
		unsigned unused;
		unsigned long before;

		_mm_lfence();
		before = __rdtsc();
		call(functions, from + i);
		ticks[i] = (double)(__rdtscp(&unused) - before);
	}
	took.mean_ns = (took.mean_ns + cpu_ns(CLOCK_THREAD_CPUTIME_ID)) / WINDOW;
	took.median_ticks = median(ticks, WINDOW);
	return took;
}

static double cycle(unsigned char *functions, long sites)
{
	long times = CHUNK_CALLS / sites + 1;

	for (int chunk = 0; chunk < CHUNKS; chunk++) {
		double before = cpu_ns(CLOCK_THREAD_CPUTIME_ID);

		for (long again = 0; again < times; again++)
			for (long i = 0; i < sites; i++)
				call(functions, i);
		chunks[chunk] = (cpu_ns(CLOCK_THREAD_CPUTIME_ID) - before) / (double)(times * sites);
	}
	return median(chunks, CHUNKS);
}

static double ns_per_tick(void)
{
	double start = cpu_ns(CLOCK_MONOTONIC), end;
	unsigned long from = __rdtsc();

	while ((end = cpu_ns(CLOCK_MONOTONIC)) - start < 2e6)
		;
	return (end - start) / (double)(__rdtsc() - from);
}

static long count_rewritten(const unsigned char *functions, long copies)
{
	long rewritten = 0;

	for (long i = 0; i < copies; i++)
		rewritten += many_rewritten(functions + i * MANY_BYTES, original);
	return rewritten;
}

int main(int argc, char **argv)
{
	long count = argc == 5 ? atol(argv[2]) : 0, copies = (count + MANY_FUNCTIONS - 1) / MANY_FUNCTIONS;

	if (count < 2 * WINDOW) {
		fprintf(stderr, "usage: sites calls|plain COUNT SHORT LONG\n");
		return 2;
	}
	memcpy(original, many_library(), MANY_BYTES);
	if (strcmp(argv[1], "plain") == 0)
		make_plain();
	int fd = make_file(copies);
	unsigned char *functions = map(fd, (size_t)copies * MANY_BYTES);
	double scale = ns_per_tick();

	expected = many_get(functions, 0)();
	wrong = 0;
	double unmap_alone = median_unmap(fd);
	long dirty = private_dirty_kib();
	for (long i = 0; i < WINDOW / 2; i++)
		call(functions, i);
	struct first_calls early = call_window(functions, WINDOW / 2);
	for (long i = WINDOW / 2 + WINDOW; i < count - WINDOW; i++)
		call(functions, i);
	struct first_calls late = call_window(functions, count - WINDOW);
	dirty = private_dirty_kib() - dirty;
	double unmap_beside = median_unmap(fd);
	double few = cycle(functions, atol(argv[3])), many = cycle(functions, atol(argv[4])), all = cycle(functions, count);

	printf("%.1f %.1f %.1f %.1f ", early.median_ticks * scale, early.mean_ns, late.median_ticks * scale, late.mean_ns);
	printf("%.2f %.2f %.2f %.1f %.1f ", few, many, all, unmap_alone * scale, unmap_beside * scale);
	printf("%ld %ld %ld %ld\n", dirty, count_rewritten(functions, copies), wrong, expected);
	return 0;
}
