/* seccomp_threads - row 19: TSYNC over running threads, a filter of one thread only, and threads made under a filter, each at known and fresh sites */
#include "seccomp.h"

enum { THREADS = 4, SITES = 40 };
static unsigned char *page;
static long uid;
static pthread_barrier_t barrier;
static volatile int filtered;

static void call_all(int from, int rounds)
{
	for (int round = 0; round < rounds; round++)
		for (int i = from; i < from + SITES; i++)
			CHECK_EQ(call_at(page + 16 * i, 0, 0, 0), uid);
}

static void *run(void *number)
{
	int from = SITES * (int)(long)number;
	call_all(from, 2);
	pthread_barrier_wait(&barrier);
	while (!filtered)
		call_all(from, 1);
	call_all(from, 200);
	call_all(SITES * THREADS + from, 200);
	return number;
}

static void *run_alone(void *number)
{
	ALLOW_ONLY(SYS_getuid, SYS_write, SYS_exit, SYS_futex, SYS_rt_sigprocmask, SYS_madvise, SYS_munmap, SYS_exit_group,
		   SYS_set_robust_list, SYS_rseq);
	call_all(2 * SITES * THREADS, 20);
	return number;
}

int main(void)
{
	pthread_t thread[THREADS];
	page = map_pages(2, PROT_RW);
	for (int i = 0; i < 512; i++)
		put_call(page + 16 * i, SYS_getuid);
	protect(page, 2, PROT_RX);
	uid = getuid();
	no_new_privileges();
	CHECK(pthread_create(&thread[0], NULL, run_alone, NULL) == 0 && pthread_join(thread[0], NULL) == 0);
	CHECK_EQ(getppid(), syscall(SYS_getppid)); /* not filtered here */
	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (long i = 0; i < THREADS; i++)
		CHECK(pthread_create(&thread[i], NULL, run, (void *)i) == 0);
	pthread_barrier_wait(&barrier);
	CHECK_EQ(filter_numbers(SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_PROCESS,
		 NUMBERS(SYS_getuid, SYS_write, SYS_exit, SYS_exit_group, SYS_futex, SYS_rt_sigprocmask, SYS_madvise, SYS_munmap,
			 SYS_mmap, SYS_mprotect, SYS_clone3, SYS_clone, SYS_set_robust_list, SYS_rseq, SYS_gettid, SYS_brk)), 0);
	filtered = 1;
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(thread[i], NULL) == 0);
	say("all threads synchronised");
	for (long i = 0; i < THREADS; i++)
		CHECK(pthread_create(&thread[i], NULL, run, (void *)i) == 0);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(thread[i], NULL) == 0);
	say("threads made under the filter");
	return 0;
}
