/* loop.c - the time of one call, measured in a loop
 *
 *     loop KIND NUMBER MILLISECONDS
 *
 * KIND call      a C call through a function pointer (callee.c)
 *      library   the same, into a shared library
 *      syscall   system call NUMBER, through one `syscall` instruction, with padding in reach of a short jump
 *      mov       the same behind a `mov` of NUMBER, 39 or 500, to eax
 *      sud       the same, answered by a bare SUD signal handler (sud.c)
 *      armed     the same, with SUD armed and the site inside the allowed range
 *
 * Warms up, sizes the loop so that CHUNKS of it take about MILLISECONDS, and prints the median chunk:
 * nanoseconds per call, the last result, and the bytes of the site, or of the mov and the site, as they are afterwards,
 * which tell the driver whether, and how, the site was rewritten. Exit status 77: this kernel has no SUD.
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

extern const unsigned char loop_site[], loop_mov_39[], loop_mov_500[];

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

/* The same, and both have the padding in reach. */
#define LOOP_MOV(nr)                                                                                                  \
	static __attribute__((noinline, aligned(64))) long loop_by_mov_##nr(long number, long count)                  \
	{                                                                                                             \
		long result = 0;                                                                                      \
														      \
		(void)number;                                                                                         \
		for (long i = 0; i < count; i++)                                                                      \
			__asm__ volatile(".globl loop_mov_" #nr "\nloop_mov_" #nr ":\n\tmovl $" #nr ", %%eax\n\tsyscall" \
					 : "=&a"(result) : : "rcx", "r11", "memory");                                 \
		return result;                                                                                        \
	}
LOOP_MOV(39)
LOOP_MOV(500)

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

struct measured {
	long (*loop)(long number, long count);
	const unsigned char *code;     /* what is printed of it */
	int size;
};

static void measure(const struct measured *what, long number, double chunk_ns)
{
	long (*loop)(long number, long count) = what->loop;
	double ns[CHUNKS];
	long result = loop(number, WARM_UP);
	long count = size_chunk(loop, number, chunk_ns);

	for (int i = 0; i < CHUNKS; i++) {
		double start = now_ns();

		result = loop(number, count);
		ns[i] = (now_ns() - start) / (double)count;
	}
	qsort(ns, CHUNKS, sizeof(ns[0]), compare_doubles);
	printf("%.3f %ld ", ns[CHUNKS / 2], result);
	for (int i = 0; i < what->size; i++)
		printf("%02x", what->code[i]);
	printf("\n");
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
		fprintf(stderr, "usage: loop call|library|syscall|mov|sud|armed NUMBER MILLISECONDS\n");
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
	struct measured what = { is_call ? loop_call : loop_syscall, loop_site, 2 };
	if (strcmp(argv[1], "mov") == 0)
		what = number == 39 ? (struct measured){ loop_by_mov_39, loop_mov_39, 7 }
				    : (struct measured){ loop_by_mov_500, loop_mov_500, 7 };
	measure(&what, number, chunk_ns);
	return 0;
}
