/* jit_sealed - row 8: code in a memfd that is sealed against writing, or against new writable mappings */
#include "life.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x10
#endif

static unsigned char *view(int fd, int protection, int kind)
{
	void *p = mmap(NULL, CODE_PAGE, protection, kind, fd, 0);
	CHECK(p != MAP_FAILED);
	return p;
}

int main(void)
{
	unsigned char written[CODE_PAGE], now[CODE_PAGE];
	int fd = memfd_create("code", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	CHECK(fd >= 0 && write(fd, fill_sites(written), CODE_PAGE) == CODE_PAGE);
	CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0);
	unsigned char *shared = view(fd, PROT_RX, MAP_SHARED), *private = view(fd, PROT_RX, MAP_PRIVATE);
	for (int again = 0; again < 3; again++) {
		run_sites(shared);
		run_sites(private);
		CHECK(memcmp(shared, written, CODE_PAGE) == 0);
		CHECK(pread(fd, now, CODE_PAGE, 0) == CODE_PAGE && memcmp(now, written, CODE_PAGE) == 0);
		CHECK(mprotect(shared, CODE_PAGE, PROT_RW) == -1);
	}
	replace(private);
	say("F_SEAL_WRITE");
	fd = memfd_create("code", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	CHECK(fd >= 0 && ftruncate(fd, CODE_PAGE) == 0);
	unsigned char *writable = view(fd, PROT_RW, MAP_SHARED);
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) != 0)
		SKIP("no F_SEAL_FUTURE_WRITE");
	shared = view(fd, PROT_RX, MAP_SHARED);
	for (int round = 0; round < 6; round++) {
		memcpy(writable, round % 2 ? fill_calls(written) : fill_sites(written), CODE_PAGE);
		(round % 2 ? run_calls : run_sites)(shared);
		CHECK(memcmp(writable, written, CODE_PAGE) == 0);
	}
	say("F_SEAL_FUTURE_WRITE");
	return 0;
}
