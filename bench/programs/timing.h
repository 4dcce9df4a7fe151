/* timing.h - processor time, and the median of what was measured, for programs that measure threads */
#ifndef ZLAZY_BENCH_TIMING_H
#define ZLAZY_BENCH_TIMING_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* CLOCK_THREAD_CPUTIME_ID, or CLOCK_PROCESS_CPUTIME_ID. A system call: outside of what is measured. */
static inline double cpu_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts them. */
static inline double median(double *values, size_t count)
{
	qsort(values, count, sizeof(values[0]), compare_doubles);
	return values[count / 2];
}

/* A field of /proc/self/smaps_rollup or /proc/self/status, in KiB; -1 if there is none. */
static inline long kib_of(const char *path, const char *format)
{
	char line[256];
	long kib = -1;
	FILE *file = fopen(path, "r");

	while (file && kib < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, format, &kib) != 1)
			kib = -1;
	if (file)
		fclose(file);
	return kib;
}

static inline long private_dirty_kib(void)
{
	return kib_of("/proc/self/smaps_rollup", "Private_Dirty: %ld");
}

static inline long page_tables_kib(void)
{
	return kib_of("/proc/self/status", "VmPTE: %ld");
}

#endif
