/* fd_numbers - design section 2: descriptor numbers are as natively: listing, lowest free, dup2 onto the highest, a full table */
#include "code.h"
#include <dirent.h>
#include <sys/resource.h>

int main(void)
{
	struct rlimit limit = { 256, 256 };
	struct dirent *entry;
	unsigned char *page = map_pages(1, PROT_RW);
	for (int i = 0; i < 60; i++)
		put_call(page + 64 * i, SYS_getuid);
	protect(page, 1, PROT_RX);
	DIR *directory = opendir("/proc/self/fd");
	int found = 0;
	while ((entry = readdir(directory)))
		if (entry->d_name[0] != '.') {
			found++;
			if (atoi(entry->d_name) > 3)
				FAIL("descriptor %s is listed", entry->d_name);
		}
	closedir(directory);
	CHECK_EQ(found, 4);
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	for (int fd = 3; fd < 1100; fd++) {
		struct stat st;
		CHECK_EQ(raw2(SYS_fcntl, fd, F_GETFD), -EBADF);
		CHECK_EQ(raw2(SYS_fstat, fd, &st), -EBADF);
		CHECK_EQ(raw6(SYS_newfstatat, fd, (long)"", (long)&st, AT_EMPTY_PATH, 0, 0), -EBADF);
		CHECK_EQ(raw6(SYS_newfstatat, fd, (long)"", (long)&st, 0, 0, 0), -ENOENT);
		CHECK_EQ(raw6(SYS_newfstatat, fd, (long)"/", (long)&st, 0, 0, 0), 0);
		CHECK_EQ(raw3(SYS_close_range, fd, fd, 99), -EINVAL);
		CHECK_EQ(raw1(SYS_dup, fd), -EBADF);
	}
	for (int fd = 255; fd >= 200; fd--) {
		CHECK_EQ(dup2(0, fd), fd);
		CHECK_EQ(call_at(page + 64 * (fd - 200), 0, 0, 0), getuid());
	}
	for (int fd = 3; fd < 200; fd++)
		CHECK_EQ(dup(0), fd);
	CHECK(dup(0) == -1 && errno == EMFILE && open("/dev/null", O_RDONLY) == -1 && errno == EMFILE);
	for (int i = 56; i < 60; i++)
		CHECK_EQ(call_at(page + 64 * i, 0, 0, 0), getuid());
	pid_t child = fork();
	if (child == 0)
		_exit(call_at(page, 0, 0, 0) == getuid() ? 7 : 8);
	CHECK_EQ(wait_child(child), 0x107);
	for (int fd = 3; fd < 256; fd++)
		CHECK_EQ(close(fd), 0);
	say("numbers are as expected");
	return 0;
}
