/* tally.c - the counters of a run, read while it goes on
 *
 *     tally FILE     FILE as in ZLAZY_STATS. Prints one line: processes, rewrites, refused, kept, traps, calls.
 */
#include "base/shared.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	const struct zl_shared *shared;
	uint64_t refused = 0, calls = 0;

	if (fd < 0) {
		fprintf(stderr, "usage: tally FILE\n");
		return 2;
	}
	shared = mmap(NULL, sizeof *shared, PROT_READ, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED || shared->magic != ZL_SHARED_MAGIC || shared->size != sizeof *shared) {
		fprintf(stderr, "tally: %s is no file of counters of this version\n", argv[1]);
		return 2;
	}
	for (int i = 0; i < ZL_VERDICTS; i++)
		refused += atomic_load(&shared->tally.refused[i]);
	for (int slot = 0; slot < ZL_SHARED_SLOTS; slot++)
		for (int number = 0; number < ZL_SHARED_NUMBERS; number++)
			calls += atomic_load(&shared->count[slot][number].calls);
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", shared->tally.processes,
	       shared->tally.rewrites, refused, shared->tally.kept, shared->tally.traps, calls);
	return 0;
}
