/* thr_signals - rows 11 and 14: signals to single threads: each runs its handler, on its own alternate stack, with its own mask. needs the real getpid */
#include "guest.h"

enum { THREADS = 6, SIGNALS = 200 };
static __thread int mine;
static __thread char *stack;
static __thread sigset_t expected_mask;
static pid_t tids[THREADS];
static pthread_barrier_t barrier;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	char *here = __builtin_frame_address(0);
	(void)signo, (void)info;
	CHECK(here > stack && here < stack + 65536);
	CHECK_EQ(sigismember(&((ucontext_t *)context)->uc_sigmask, SIGRTMIN), sigismember(&expected_mask, SIGRTMIN));
	mine++;
}

static void *body(void *argument)
{
	long number = (long)argument;
	stack_t set = { .ss_sp = stack = malloc(65536), .ss_size = 65536 };
	sigemptyset(&expected_mask);
	if (number % 2)
		sigaddset(&expected_mask, SIGRTMIN);
	CHECK(sigaltstack(&set, NULL) == 0 && pthread_sigmask(SIG_SETMASK, &expected_mask, NULL) == 0);
	tids[number] = gettid();
	pthread_barrier_wait(&barrier);
	while (mine < SIGNALS)
		raw0(SYS_getuid);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	handle(SIGRTMIN + 1, on_signal, SA_ONSTACK | SA_RESTART);
	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (long i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, body, (void *)i) == 0);
	pthread_barrier_wait(&barrier);
	for (int k = 0; k < SIGNALS; k++)
		for (int i = 0; i < THREADS; i++)
			CHECK(syscall(SYS_tgkill, getpid(), tids[i], SIGRTMIN + 1) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	say("%d signals", THREADS * SIGNALS);
	return 0;
}
