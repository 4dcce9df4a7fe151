/* limit_fds - row 24: a full table of descriptors, RLIMIT_NOFILE 0, chroot to an empty directory, no descriptor at all: all goes on. needs the real getpid */
#include "alive.h"
#include <sys/resource.h>

int main(void)
{
	struct rlimit limit = { 64, 64 };
	char directory[] = "/tmp/zlazy-empty-XXXXXX";
	int out;

	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	while (dup(1) >= 0)
		;
	CHECK_EQ(errno, EMFILE);
	check_alive();
	limit.rlim_cur = limit.rlim_max = 0;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	check_alive();
	CHECK(mkdtemp(directory) == directory);
	if (geteuid() == 0)
		CHECK(chdir(directory) == 0 && rmdir(directory) == 0 && chroot(".") == 0);
	else
		CHECK(rmdir(directory) == 0);
	check_alive();
	CHECK_EQ(raw3(SYS_close_range, 0, 0, 0), 0);
	CHECK_EQ(raw3(SYS_close_range, 3, ~0U, 0), 0);
	check_alive();
	out = fcntl(1, F_GETFD);
	CHECK_EQ(out, 0);
	for (int fd = 3; fd < 2000; fd++)
		CHECK(close(fd) == -1 && errno == EBADF);
	check_alive();
	say("all goes on");
	CHECK_EQ(raw3(SYS_close_range, 0, ~0U, 0), 0);
	check_alive();
	return 0;
}
