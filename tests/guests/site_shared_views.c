/* site_shared_views - row 8: one memfd, two views that can run: a site called in one is called in the other next */
#include "code.h"

int main(void)
{
	int fd = memfd_create("code", MFD_CLOEXEC);
	CHECK(fd >= 0 && ftruncate(fd, CODE_PAGE) == 0);
	unsigned char *writable = mmap(NULL, CODE_PAGE, PROT_RW, MAP_SHARED, fd, 0);
	unsigned char *view[2];
	CHECK(writable != MAP_FAILED);
	for (int i = 0; i < 2; i++)
		CHECK((view[i] = mmap(NULL, CODE_PAGE, PROT_RX, MAP_SHARED, fd, 0)) != MAP_FAILED);
	memset(writable, 0x90, CODE_PAGE);
	for (int i = 0; i < 10; i++)
		put_variable_call(writable + 256 + 32 * i);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(call_at(view[i % 2] + 256 + 32 * (i / 2), SYS_getuid, 0, 0), getuid());
	CHECK(memcmp(writable + 256 + 3, "\x0f\x05", 2) == 0);
	say("10 sites called in both views");
	return 0;
}
