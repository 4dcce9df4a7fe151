/* jit_hugetlb - rows 2, 7: code in huge pages of hugetlbfs, private and shared; root lets the kernel find some for
 * the time of the test */
#include "life.h"
#include <sys/file.h>

enum { HUGE = 2 << 20, PAGES = HUGE / CODE_PAGE };

static const char setting[] = "/proc/sys/vm/nr_overcommit_hugepages";

static long change_setting(const char *text, char *old)
{
	int fd = open(setting, O_RDWR | O_CLOEXEC);
	long done = fd < 0 || (old && read(fd, old, 32) <= 0) ? -1 : pwrite(fd, text, strlen(text), 0);
	close(fd);
	return done;
}

static void run_in(const char *name, int kind, int protection)
{
	unsigned char *code = mmap(NULL, 2 * HUGE, PROT_RW, kind | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (code == MAP_FAILED)
		_exit(77);
	unsigned char *border = code + HUGE;
	for (int round = 0; round < 3; round++) {
		protect(code, 2 * PAGES, PROT_RW);
		fill_sites(code + 5 * CODE_PAGE);
		put_site(border + 1, round % 2);   /* across two huge pages */
		protect(code, 2 * PAGES, protection);
		run_sites(code + 5 * CODE_PAGE);
		for (int again = 0; again < 3; again++)
			run_site(border + 1, round % 2);
		protect(code, 2 * PAGES, PROT_RW);
		fill_calls(code + 5 * CODE_PAGE);
		put_own(border + 1, OWN_NULL);
		protect(code, 2 * PAGES, protection);
		run_calls(code + 5 * CODE_PAGE);
		run_own(border + 1, OWN_NULL);
	}
	if (kind == MAP_PRIVATE) {
		CHECK(madvise(code, HUGE, MADV_DONTNEED) == 0 && code[5 * CODE_PAGE + SPOT_AFTER] == 0);
		protect(code, PAGES, PROT_RWX);
		fill_sites(code);
		run_sites(code);
	}
	CHECK(munmap(code, 2 * HUGE) == 0);
	say("%s", name);
}

int main(int count, char **arguments)
{
	char old[32] = "";
	(void)count;
	int lock = open(arguments[0], O_RDONLY | O_CLOEXEC);
	CHECK(lock >= 0 && flock(lock, LOCK_EX) == 0);   /* one at a time */
	if (change_setting("8", old) < 0)
		SKIP("not allowed to change %s", setting);
	pid_t pid = fork();
	if (pid == 0) {
		run_in("private", MAP_PRIVATE, PROT_RX);
		run_in("private, writable", MAP_PRIVATE, PROT_RWX);
		run_in("shared", MAP_SHARED, PROT_RX);
		_exit(0);
	}
	int ended = wait_child(pid);
	CHECK(change_setting(old, NULL) > 0);
	if (ended == 0x14d)
		SKIP("no huge pages to be had");
	CHECK_EQ(ended, 0x100);
	return 0;
}
