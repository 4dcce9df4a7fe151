/* jit_shared_protect - row 8: W^X by mprotect in shared memory: a file's, anonymous; and a private mapping that
 * was shared before */
#include "life.h"

static void run_in(const char *name, unsigned char *page)
{
	CHECK(page != MAP_FAILED);
	for (int round = 0; round < 4; round++) {
		protect(page, 1, PROT_RW);
		fill_sites(page);
		protect(page, 1, PROT_RX);
		run_sites(page);
		replace(page);
	}
	say("%s", name);
}

int main(void)
{
	char file[] = "/tmp/guest-XXXXXX";
	int fd = mkstemp(file);
	CHECK(fd >= 0 && ftruncate(fd, CODE_PAGE) == 0);
	unlink(file);
	unsigned char *page = mmap(NULL, CODE_PAGE, PROT_RW, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED || mprotect(page, CODE_PAGE, PROT_RX) != 0)
		SKIP("/tmp is not executable");
	run_in("shared file", page);
	run_in("shared anonymous memory", mmap(NULL, CODE_PAGE, PROT_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	run_in("private over shared", mmap(page, CODE_PAGE, PROT_RW, MAP_PRIVATE | MAP_FIXED, fd, 0));
	run_in("shared over private", mmap(page, CODE_PAGE, PROT_RW, MAP_SHARED | MAP_FIXED, fd, 0));
	return 0;
}
