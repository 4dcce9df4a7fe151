/* limit_memory - row 29: RLIMIT_AS at the present size, no new memory to be had: calls at fresh sites, signals and fork go on; mlockall. needs the real getpid */
#include "code.h"
#include <sys/resource.h>

static volatile int handled;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info, (void)context;
	handled++;
}

int main(void)
{
	struct rlimit low = { 1 << 20, RLIM_INFINITY };
	unsigned char *page = map_pages(1, PROT_RW);
	for (int i = 0; i < 60; i++)
		put_call(page + 64 * i, SYS_getuid);
	protect(page, 1, PROT_RX);
	handle(SIGUSR1, on_signal, 0);
	CHECK(setrlimit(RLIMIT_AS, &low) == 0);
	CHECK(mmap(NULL, CODE_PAGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
	for (int again = 0; again < 3; again++)
		for (int i = 0; i < 60; i++)
			CHECK_EQ(call_at(page + 64 * i, 0, 0, 0), getuid());
	raise(SIGUSR1);
	pid_t child = fork();
	if (child == 0)
		_exit(call_at(page, 0, 0, 0) == getuid() ? 7 : 8);
	CHECK_EQ(wait_child(child), 0x107);
	low.rlim_cur = RLIM_INFINITY;
	CHECK(setrlimit(RLIMIT_AS, &low) == 0);
	if (mlockall(MCL_CURRENT | MCL_FUTURE) == 0)
		CHECK(raw0(SYS_getuid) == getuid() && munlockall() == 0);
	say("%d handler", handled);
	return 0;
}
