/* sud_threads - row 18: each thread has its own range and selector; one of four is not dispatched at all */
#include "dispatch.h"

enum { THREADS = 4, ROUNDS = 500 };
static __thread volatile char selector;
static __thread int handled;

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	selector = ALLOW;
	(void)signal;
	CHECK_EQ(info->si_syscall, SYS_getppid);
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = handled++;
}

static void *work(void *data)
{
	long index = (long)data;
	if (index != 0)
		CHECK_EQ(dispatch(DISPATCH_EXCLUSIVE, (long)allowed, allowed_end - allowed, &selector), 0);
	for (int round = 0; round < ROUNDS; round++) {
		selector = BLOCK;
		long result = index == 2 ? allowed_call(SYS_getppid, 0, 0, 0, 0, 0, 0) : raw0(SYS_getppid);
		selector = ALLOW;
		CHECK_EQ(result, index == 0 || index == 2 ? (long)getppid() : round);
	}
	return (void *)(long)handled;
}

int main(void)
{
	pthread_t id[THREADS];
	need_dispatch();
	handle(SIGSYS, on_sigsys, 0);
	for (long i = 0; i < THREADS; i++)
		CHECK(pthread_create(&id[i], NULL, work, (void *)i) == 0);
	for (int i = 0; i < THREADS; i++) {
		void *count;
		CHECK(pthread_join(id[i], &count) == 0);
		say("thread %d: %ld dispatched", i, (long)count);
	}
	return 0;
}
