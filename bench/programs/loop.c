/* loop.c - the time of one call, measured in a loop
 *
 *     loop KIND NUMBER MILLISECONDS
 *
 * KIND call      a C call through a function pointer (callee.c)
 *      library   the same, into a shared library
 *      syscall   system call NUMBER, through the single `syscall` instruction of this program
 *      sud       the same, answered by a bare SUD signal handler (sud.c)
 *      armed     the same, with SUD armed and the site inside the allowed range
 *
 * Warms up, sizes the loop so that CHUNKS of it take about MILLISECONDS, and prints the median chunk:
 * nanoseconds per call, the last result, and the site's two bytes as they are afterwards ("0f05" or "ffd0"),
 * which tell the driver whether the site was rewritten. Exit status 77: this kernel has no SUD.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

#define CHUNKS 31
#define WARM_UP 200

extern const unsigned char loop_site[];

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The label makes a second copy of the site an error of the assembler. */
static __attribute__((noinline, aligned(64))) long loop_syscall(long number, long count)
{
	long result = 0;

	for (long i = 0; i < count; i++)
		__asm__ volatile(".globl loop_site\nloop_site:\n\tsyscall"
				 : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
	return result;
}

static long (*volatile pointer)(long) = callee;

static __attribute__((noinline, aligned(64))) long loop_call(long number, long count)
{
	long (*function)(long) = pointer;
	long result = 0;

	for (long i = 0; i < count; i++)
		result = function(number);
	return result;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Calls per chunk, so that a chunk takes about `ns`. */
static long size_chunk(long (*loop)(long number, long count), long number, double ns)
{
	long count = 64;

	for (;;) {
		double start = now_ns();

		loop(number, count);
		double took = now_ns() - start;

		if (took >= ns / 4)
			return 1 + (long)((double)count * ns / took);
		count *= 2;
	}
}

static void measure(long (*loop)(long number, long count), long number, double chunk_ns)
{
	double ns[CHUNKS];
	long result = loop(number, WARM_UP);
	long count = size_chunk(loop, number, chunk_ns);

	for (int i = 0; i < CHUNKS; i++) {
		double start = now_ns();

		result = loop(number, count);
		ns[i] = (now_ns() - start) / (double)count;
	}
	qsort(ns, CHUNKS, sizeof(ns[0]), compare_doubles);
	printf("%.3f %ld %02x%02x\n", ns[CHUNKS / 2], result, loop_site[0], loop_site[1]);
}

static void arm_or_skip(enum sud_range range)
{
	int r = sud_arm(range);

	if (r == 0)
		return;
	fprintf(stderr, "loop: no syscall user dispatch here: %s\n", strerror(-r));
	exit(77);
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: loop call|library|syscall|sud|armed NUMBER MILLISECONDS\n");
		return 2;
	}
	long number = atol(argv[2]);
	double chunk_ns = atof(argv[3]) * 1e6 / CHUNKS;

	if (strcmp(argv[1], "sud") == 0)
		arm_or_skip(SUD_LIBC_ONLY);
	if (strcmp(argv[1], "armed") == 0)
		arm_or_skip(SUD_EVERYWHERE);
	if (strcmp(argv[1], "library") == 0)
		pointer = library_callee;
	bool is_call = strcmp(argv[1], "call") == 0 || strcmp(argv[1], "library") == 0;
	measure(is_call ? loop_call : loop_syscall, number, chunk_ns);
	return 0;
}
