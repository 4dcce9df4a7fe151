/* limit_locked - row 29: a user with 8 MiB of RLIMIT_MEMLOCK locks all memory, present and future: as much of it as natively, and threads can be made up to that. needs the real getpid */
#include "alive.h"
#include <sys/resource.h>

enum { THREADS = 12, PIECE = 65536 };
static pthread_barrier_t barrier;
static unsigned char *pieces[512];

static void *body(void *argument)
{
	pthread_barrier_wait(&barrier);   /* all of them at once */
	CHECK(raw0(SYS_getuid) == getuid());
	return argument;
}

/* Use up the limit, but for `spare` pieces; returns how much that was. */
static long fill(int spare)
{
	int count = 0;
	while ((pieces[count] = mmap(NULL, PIECE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED)
		count++;
	CHECK_EQ(errno, EAGAIN);
	while (spare-- > 0)
		CHECK(munmap(pieces[--count], PIECE) == 0);
	return (long)count * PIECE;
}

int main(void)
{
	struct rlimit limit = { 8 << 20, 8 << 20 };
	pthread_t threads[THREADS];
	pthread_attr_t small;

	CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
	CHECK(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
	check_alive();
	CHECK(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
	check_alive();
	long used = fill(THREADS + 2);
	CHECK(used > 1 << 20 && used < 8 << 20);
	pthread_barrier_init(&barrier, NULL, THREADS);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, PIECE);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], &small, body, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(raw0(SYS_getuid) == getuid());
	CHECK(munlockall() == 0);
	check_alive();
	CHECK(mlockall(MCL_FUTURE) == 0);
	CHECK(munlockall() == 0);
	limit.rlim_cur = 1 << 20;
	CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
	CHECK(mlockall(MCL_CURRENT) == -1 && errno == ENOMEM);
	CHECK(mlockall(0) == -1 && errno == EINVAL);
	CHECK(mlockall(64) == -1 && errno == EINVAL);
	check_alive();
	say("locked");
	return 0;
}
