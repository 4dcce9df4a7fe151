/* jit_dual_private - row 8: code written through a shared view of a file, run in a private one, which shows later
 * writes, too */
#include "life.h"

int main(void)
{
	int fd = memfd_create("code", MFD_CLOEXEC);
	CHECK(fd >= 0 && ftruncate(fd, CODE_PAGE) == 0);
	unsigned char *writable = mmap(NULL, CODE_PAGE, PROT_RW, MAP_SHARED, fd, 0);
	unsigned char *code = mmap(NULL, CODE_PAGE, PROT_RX, MAP_PRIVATE, fd, 0);
	CHECK(writable != MAP_FAILED && code != MAP_FAILED);
	for (int round = 0; round < 6; round++) {
		(round % 2 ? fill_calls : fill_sites)(writable);
		if (memcmp(code, writable, CODE_PAGE) != 0)
			FAIL("round %d: the private view does not follow", round);
		(round % 2 ? run_calls : run_sites)(code);
	}
	say("6 rounds");
	return 0;
}
