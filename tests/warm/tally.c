/* tally.c - the counters of a run, read while it goes on
 *
 *     tally FILE     FILE as in ZLAZY_STATS. Prints one line: processes, sites rewritten, refused and kept, traps, those at
 *                    refused sites, past a mov that is a jump, of rt_sigreturn and lost to another thread, calls.
 */
#include "base/shared.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>

static void print(const _Atomic uint64_t *counter)
{
	printf("%" PRIu64 " ", atomic_load(counter));
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	struct zl_shared *shared;
	struct zl_tally *tally;
	uint64_t rewrites = 0, refused = 0, calls = 0;

	if (fd < 0) {
		fprintf(stderr, "usage: tally FILE\n");
		return 2;
	}
	shared = mmap(NULL, sizeof *shared, PROT_READ, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED || shared->magic != ZL_SHARED_MAGIC || shared->size != sizeof *shared) {
		fprintf(stderr, "tally: %s is no file of counters of this version\n", argv[1]);
		return 2;
	}
	tally = &shared->tally;
	for (int i = 0; i < ZL_VERDICTS; i++)
		refused += atomic_load(&tally->refused[i]);
	for (int slot = 0; slot < ZL_SHARED_SLOTS; slot++)
		for (int number = 0; number < ZL_SHARED_NUMBERS; number++)
			calls += atomic_load(&shared->count[slot][number].calls);
	print(&tally->processes);
	for (int i = 0; i < ZL_TACTIC_KINDS; i++)
		rewrites += atomic_load(&tally->rewrites[i]);
	printf("%" PRIu64 " ", rewrites);
	printf("%" PRIu64 " ", refused);
	print(&tally->kept);
	print(&tally->traps);
	print(&tally->at_refused);
	print(&tally->at_straight);
	print(&tally->at_sigreturn);
	print(&tally->lost_races);
	printf("%" PRIu64 "\n", calls);
	return 0;
}
