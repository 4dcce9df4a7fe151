/* jit_dual_checksum - row 8: code in a memfd with a writable and an executable view: the writable one, and the
 * file, always show what was written */
#include "life.h"

int main(void)
{
	unsigned char written[CODE_PAGE], now[CODE_PAGE];
	int fd = memfd_create("code", MFD_CLOEXEC);
	CHECK(fd >= 0 && ftruncate(fd, CODE_PAGE) == 0);
	unsigned char *writable = mmap(NULL, CODE_PAGE, PROT_RW, MAP_SHARED, fd, 0);
	unsigned char *code = mmap(NULL, CODE_PAGE, PROT_RX, MAP_SHARED, fd, 0);
	CHECK(writable != MAP_FAILED && code != MAP_FAILED);
	for (int round = 0; round < 20; round++) {
		memcpy(writable, round % 2 ? fill_calls(written) : fill_sites(written), CODE_PAGE);
		for (int again = 0; again < 2; again++) {
			(round % 2 ? run_calls : run_sites)(code);
			CHECK(memcmp(writable, written, CODE_PAGE) == 0 && memcmp(code, written, CODE_PAGE) == 0);
			CHECK(pread(fd, now, CODE_PAGE, 0) == CODE_PAGE && memcmp(now, written, CODE_PAGE) == 0);
		}
	}
	say("as written");
	return 0;
}
