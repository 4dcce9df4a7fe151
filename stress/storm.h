/* storm.h - what the stress programs share
 *
 *     PROGRAM SEED SECONDS
 *
 * Each has a pass rule in its head comment, checks it all the time and at the end, and prints one line of what it did.
 * Exit status 0: the rule held; 1: a line that begins with FAIL says where it did not. Nothing here knows of the agent.
 */
#ifndef STORM_H
#define STORM_H

#include "../tests/guests/guest.h"
#include <stdatomic.h>

struct storm {
	uint64_t random;        /* xorshift64*: Marsaglia, 2003; Vigna, 2016 */
	double end;             /* seconds of CLOCK_MONOTONIC */
};

static inline double now(void)
{
	struct timespec t;
	CHECK(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline struct storm storm_begin(int argc, char **argv)
{
	if (argc != 3) {
		say("usage: %s SEED SECONDS", argv[0]);
		_exit(2);
	}
	return (struct storm){ .random = strtoull(argv[1], NULL, 0) * 2 + 1, .end = now() + atof(argv[2]) };
}

/* Another stream of numbers and the same end, for a thread. */
static inline struct storm storm_part(const struct storm *storm, unsigned part)
{
	return (struct storm){ .random = (storm->random ^ (part + 1) * 0x9e3779b97f4a7c15u) | 1, .end = storm->end };
}

static inline bool storm_lasts(const struct storm *storm)
{
	return now() < storm->end;
}

/* 0 to below - 1 */
static inline unsigned storm_below(struct storm *storm, unsigned below)
{
	storm->random ^= storm->random >> 12;
	storm->random ^= storm->random << 25;
	storm->random ^= storm->random >> 27;
	return (unsigned)(storm->random * 0x2545f4914f6cdd1du >> 33) % below;
}

/* A file that has no name any more; what is mapped from it may be rewritten, which is not so of a memfd. */
static inline int file_open(void)
{
	char name[] = "/tmp/stress-XXXXXX";
	int fd = mkstemp(name);

	CHECK(fd >= 0 && unlink(name) == 0);
	return fd;
}

#endif
