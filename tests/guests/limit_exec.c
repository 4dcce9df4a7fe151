/* limit_exec - row 29: vfork and exec when no address space is left, the second time: they need none of their own */
#include "guest.h"
#include <sys/resource.h>

static int run(void)
{
	pid_t pid = vfork();
	if (pid == 0) {
		execl("/proc/self/exe", "x", "child", NULL);
		_exit(errno);
	}
	CHECK(pid > 0);
	return wait_child(pid);
}

int main(int count, char **arguments)
{
	struct rlimit limit;
	if (count > 1 && arguments[1][0] == 'c')
		return arguments[0][0] == 'y' ? 0 : 3;
	CHECK_EQ(run(), 0x103);
	CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
	limit.rlim_cur = 128 << 20;
	CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
	for (size_t size = 1 << 20; size >= 4096; size /= 2)
		while (mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED)
			;
	for (int i = 0; i < 10; i++)
		CHECK_EQ(run(), 0x103);
	execl("/proc/self/exe", "y", "child", NULL);
	FAIL("exec");
}
