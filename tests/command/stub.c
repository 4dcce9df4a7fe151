/* stub.c - stands in for libzlazy.so in the tests of the command
 *
 * It maps the counters' file as the agent does and adds known values, so that reports can be compared exactly:
 * 10 calls in three slots, two of them failed openat's, and one refused site.
 */
#include "base/shared.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void add(struct zl_shared *shared, int slot, int number, unsigned calls, unsigned errors, unsigned ticks)
{
	shared->count[slot][number].calls += calls;
	shared->count[slot][number].errors += errors;
	shared->count[slot][number].ticks += ticks;
}

static void add_sites(struct zl_shared *shared)
{
	struct zl_refused_site *site = &shared->refused[shared->refused_used++];

	shared->tally.processes++;
	shared->tally.traps += 12;
	shared->tally.rewrites += 10;
	shared->tally.refused[ZL_RED_ZONE]++;
	site->verdict = ZL_RED_ZONE;
	site->pid = getpid();
	site->number = 72;
	site->address = 0x7ffff7fe1234;
	site->bytes[8] = 0x0f;
	site->bytes[9] = 0x05;
	atomic_store_explicit(&site->ready, 1, memory_order_release);
}

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("ZLAZY_STATS");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	struct zl_shared *shared;

	if (fd < 0)
		return;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (shared == MAP_FAILED || shared->magic != ZL_SHARED_MAGIC || shared->size != sizeof *shared)
		abort();
	add_sites(shared);
	if (!shared->count_calls)
		return;
	add(shared, 3, 1, 3, 0, 2000000);
	add(shared, 5, 257, 4, 2, 6000000);
	add(shared, 127, 257, 1, 0, 3000000);
	add(shared, 0, 500, 1, 0, 1000000);
	add(shared, 0, ZL_SHARED_OTHER, 1, 0, 500000);
}
