/* stub.c - stands in for libzlazy.so in the tests of the command
 *
 * It maps the counters' file as the agent does and adds known values, so that reports can be compared exactly:
 * 10 calls in three slots, two of them failed openat's, and one refused site in two entries.
 */
#include "base/shared.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void add(struct zl_shared *shared, int slot, int number, unsigned calls, unsigned errors, unsigned ticks)
{
	shared->count[slot][number].calls += calls;
	shared->count[slot][number].errors += errors;
	shared->count[slot][number].ticks += ticks;
}

/* The same site in each process, but as two entries: as if two had added it at one moment. */
static void add_site(struct zl_refused_site *site)
{
	site->verdict = ZL_RED_ZONE;
	site->pid = getpid();
	site->number = 72;
	site->address = 0x7ffff7fe1234;
	site->first = 2;
	site->end = 12;
	site->bytes[8] = 0x0f;
	site->bytes[9] = 0x05;
	site->bytes[10] = 0xc3;
	site->is_place_known = true;
	site->sites = 1;
	site->traps = 3;
	strcpy(site->name, "/gone/lib\nrary.so (deleted)");
	site->offset = 0x1234;
	atomic_store_explicit(&site->state, ZL_REFUSED_READY, memory_order_release);
}

static void add_sites(struct zl_shared *shared)
{
	shared->tally.processes++;
	shared->tally.traps += 18;
	shared->tally.rewrites[ZL_TACTIC_CALL] += 9;
	shared->tally.refused[ZL_RED_ZONE] += 2;
	shared->tally.at_refused += 4;
	shared->tally.lost_races += 2;
	if (!shared->lists_sites)
		return;
	add_site(&shared->refused[7]);
	add_site(&shared->refused[1023]);
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
