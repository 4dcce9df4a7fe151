/* counters.c - the file in which the processes of a run keep their counters
 *
 * The parent makes the file (struct zl_shared of base/shared.h), every process of the run maps it by its path in
 * ZLAZY_STATS, and the parent removes the name when the program has ended. fork() hands the mapping on; only a
 * process that execs has to open the path again.
 *
 * Mode 0600. A file that anybody may write could be cut short by anybody, and a process that touches a mapping
 * beyond the end of its file dies of SIGBUS: other users could kill a program of root's. The price: a process
 * that first gives up its user id and then execs is hooked but not counted. Servers that only fork after
 * setuid() are counted.
 *
 * The space is reserved, not only the size: on a full tmpfs a sparse file would be the same SIGBUS.
 */
#include "tools/counters.h"

#include "tools/message.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static char path[4096];

const char *zl_counters_path(void)
{
	return path[0] != '\0' ? path : NULL;
}

void zl_counters_remove(void)
{
	if (path[0] != '\0')
		unlink(path);
	path[0] = '\0';
}

/* Try one directory. Returns NULL with errno set. */
static struct zl_shared *create_in(const char *directory)
{
	struct zl_shared *shared = MAP_FAILED;
	int fd, error;

	if (snprintf(path, sizeof path, "%s/zlazy-XXXXXX", directory) >= (int)sizeof path) {
		path[0] = '\0';
		errno = ENAMETOOLONG;
		return NULL;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0) {
		path[0] = '\0';
		return NULL;
	}
	error = posix_fallocate(fd, 0, sizeof *shared);
	if (error == 0) {
		shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		error = shared == MAP_FAILED ? errno : 0;
	}
	close(fd);
	if (error == 0)
		return shared;
	zl_counters_remove();
	errno = error;
	return NULL;
}

static struct zl_shared *create_somewhere(void)
{
	const char *places[] = { getenv("XDG_RUNTIME_DIR"), "/dev/shm", getenv("TMPDIR"), "/tmp" };
	struct zl_shared *shared = NULL;

	for (size_t i = 0; i < sizeof places / sizeof places[0] && shared == NULL; i++)
		if (places[i] != NULL && places[i][0] == '/')
			shared = create_in(places[i]);
	return shared;
}

struct zl_shared *zl_counters_create(bool count_calls, bool lists_sites)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, on_size;
	struct rlimit limit, wide;
	struct zl_shared *shared;

	/* A limit on the size of files (ulimit -f) is meant for the program: keep it out of the way, as far as it goes. */
	sigaction(SIGXFSZ, &ignore, &on_size);
	getrlimit(RLIMIT_FSIZE, &limit);
	wide = (struct rlimit){ limit.rlim_max, limit.rlim_max };
	setrlimit(RLIMIT_FSIZE, &wide);
	shared = create_somewhere();
	setrlimit(RLIMIT_FSIZE, &limit);
	sigaction(SIGXFSZ, &on_size, NULL);
	if (shared == NULL) {
		zl_message(0, "cannot make the file of the counters: %s; set TMPDIR to a directory with room, or"
			   " raise ulimit -f",
			   strerror(errno));
		return NULL;
	}
	shared->size = sizeof *shared;
	shared->count_calls = count_calls;
	shared->lists_sites = lists_sites;
	shared->magic = ZL_SHARED_MAGIC;
	return shared;
}
