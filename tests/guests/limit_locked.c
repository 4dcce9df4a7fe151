/* limit_locked - row 29: a user with 8 MiB of RLIMIT_MEMLOCK locks all memory, present and future: as much of it as natively, and threads can be made up to that. needs the real getpid */
#include "alive.h"
#include <sys/resource.h>

static void *body(void *argument)
{
	CHECK(raw0(SYS_getuid) == getuid());
	return argument;
}

int main(void)
{
	enum { THREADS = 12, STACK = 65536 };
	struct rlimit limit = { 8 << 20, 8 << 20 };
	pthread_t threads[THREADS];
	pthread_attr_t small;

	CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
	CHECK(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
	check_alive();
	CHECK(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
	check_alive();
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, STACK);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], &small, body, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	long used = 0;
	while (mmap(NULL, 1 << 16, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		used += 1 << 16;
	CHECK_EQ(errno, EAGAIN);
	CHECK(used > 3 << 20 && used < 8 << 20);
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
