/* memory.c - the time of calls that change the program's data memory, while many sites are known elsewhere
 *
 *     memory KIND COPIES MILLISECONDS
 *
 * KIND   map        mmap and munmap of 64 KiB that is not touched, at a fixed place
 *        protect    mprotect of 64 KiB, to read-only and back
 *        discard    madvise(MADV_DONTNEED) of a page that is not touched
 *        grow       mremap of 64 KiB to 128 KiB, and back
 * The place lies between other mappings whose pages are there, so that page tables stay.
 * COPIES of the functions of many.S are mapped and called first: so many times 4096 sites.
 *
 * Prints the least of CHUNKS pieces of a run of about MILLISECONDS (a few ns are looked for, and what else happens on
 * the machine only adds): nanoseconds per pair of calls (discard: per call), and how many sites are `call *%rax`.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "many.h"

enum { CHUNKS = 61, PAGE = 4096, SIZE = 16 * PAGE, BETWEEN_LOOKS = 32 };
enum { BESIDE = 0x400000, AROUND = 2 * BESIDE + 2 * SIZE };

static unsigned char *data;

static void check(int is_good, const char *what)
{
	if (is_good)
		return;
	perror(what);
	exit(1);
}

static unsigned char *map(void *where, size_t size)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | (where ? MAP_FIXED : 0);
	void *at = mmap(where, size, PROT_READ | PROT_WRITE, flags, -1, 0);

	check(at != MAP_FAILED, "mmap");
	return at;
}

static void map_and_unmap(void)
{
	check(munmap(map(data, SIZE), SIZE) == 0, "munmap");
}

static void protect(void)
{
	check(mprotect(data, SIZE, PROT_READ) == 0 && mprotect(data, SIZE, PROT_READ | PROT_WRITE) == 0, "mprotect");
}

static void discard(void)
{
	check(madvise(data, PAGE, MADV_DONTNEED) == 0, "madvise");
}

static void grow(void)
{
	check(mremap(data, SIZE, 2 * SIZE, 0) == data && mremap(data, 2 * SIZE, SIZE, 0) == data, "mremap");
}

/* Returns how many sites were rewritten. */
static long call_copies(long copies)
{
	const unsigned char *original = many_library();
	long rewritten = 0;

	for (long i = 0; i < copies; i++) {
		unsigned char *functions = map(NULL, MANY_BYTES);
		memcpy(functions, original, MANY_BYTES);
		check(mprotect(functions, MANY_BYTES, PROT_READ | PROT_EXEC) == 0, "mprotect");
		for (long k = 0; k < MANY_FUNCTIONS; k++)
			check(many_get(functions, k)() == getpid(), "getpid");
		rewritten += many_rewritten(functions, original);
	}
	return rewritten;
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The least of the chunks. */
static double measure(void (*operation)(void), double chunk_ns)
{
	double least = 1e18;

	for (int i = 0; i < CHUNKS; i++) {
		double start = now_ns(), end, ns;
		long count = 0;

		do {
			for (int k = 0; k < BETWEEN_LOOKS; k++)
				operation();
			count += BETWEEN_LOOKS;
		} while ((end = now_ns()) - start < chunk_ns);
		ns = (end - start) / (double)count;
		least = ns < least ? ns : least;
	}
	return least;
}

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*operation)(void); } kinds[] = {
		{ "map", map_and_unmap }, { "protect", protect }, { "discard", discard }, { "grow", grow },
	};
	void (*operation)(void) = NULL;

	for (size_t i = 0; argc == 4 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(argv[1], kinds[i].name) == 0)
			operation = kinds[i].operation;
	if (!operation) {
		fprintf(stderr, "usage: memory map|protect|discard|grow COPIES MILLISECONDS\n");
		return 2;
	}
	long rewritten = call_copies(atol(argv[2]));

	data = map(NULL, AROUND);
	memset(data, 1, AROUND);
	check(mprotect(data, AROUND, PROT_READ) == 0, "mprotect");
	data += BESIDE;
	check(munmap(data, 2 * SIZE) == 0, "munmap");   /* room to grow */
	map(data, SIZE);
	for (int i = 0; i < BETWEEN_LOOKS; i++)
		operation();
	printf("%.2f %ld\n", measure(operation, atof(argv[3]) * 1e6 / CHUNKS), rewritten);
	return 0;
}
