/* life_advice (needs the real getpid) - row 2: other advice that may take code away: MADV_FREE, guard pages,
 * DONTNEED by process_madvise, DONTNEED_LOCKED */
#include "life.h"
#include <sys/uio.h>

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
enum { GUARD_INSTALL = 102, GUARD_REMOVE = 103 };   /* Linux 6.13 */

static void after(const char *name, unsigned char *page)
{
	fill_calls(page);
	run_calls(page);
	fill_sites(page);
	run_sites(page);
	say("%s", name);
}

int main(void)
{
	unsigned char *page = new_sites(PROT_RWX);
	CHECK(madvise(page, CODE_PAGE, MADV_FREE) == 0);
	after("MADV_FREE", page);
	if (madvise(page, CODE_PAGE, MADV_DONTNEED_LOCKED) == 0)
		CHECK(page[SPOT_AFTER] == 0);
	after("MADV_DONTNEED_LOCKED", page);
	if (madvise(page, CODE_PAGE, GUARD_INSTALL) == 0)
		CHECK(madvise(page, CODE_PAGE, GUARD_REMOVE) == 0 && page[SPOT_AFTER] == 0);
	after("guard pages", page);
	int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	struct iovec piece = { page, CODE_PAGE };
	if (self >= 0 && syscall(SYS_process_madvise, self, &piece, 1, MADV_DONTNEED, 0) == CODE_PAGE)
		CHECK(page[SPOT_AFTER] == 0);
	after("process_madvise", page);
	return 0;
}
