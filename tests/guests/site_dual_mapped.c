/* site_dual_mapped - row 8: code in a memfd mapped twice, shared: written through one view, run in the other */
#include "code.h"

int main(void)
{
	int fd = memfd_create("code", MFD_CLOEXEC);
	CHECK(fd >= 0 && ftruncate(fd, CODE_PAGE) == 0);
	unsigned char *write_view = mmap(NULL, CODE_PAGE, PROT_RW, MAP_SHARED, fd, 0);
	unsigned char *run_view = mmap(NULL, CODE_PAGE, PROT_RX, MAP_SHARED, fd, 0);
	CHECK(write_view != MAP_FAILED && run_view != MAP_FAILED);
	for (int round = 0; round < 200; round++) {
		int offset = round % 50 * 8;
		put_call(write_view + offset, round % 2 ? SYS_getuid : 600);
		for (int again = 0; again < 3; again++)
			CHECK_EQ(call_at(run_view + offset, 0, 0, 0), round % 2 ? (long)getuid() : -ENOSYS);
	}
	/* the same place, now another instruction where the site was: mov $0x1234,%eax; ret */
	memcpy(write_view, "\xb8\x34\x12\x00\x00\xc3", 6);
	CHECK_EQ(call_at(run_view, 0, 0, 0), 0x1234);
	/* and with the operand where the site was: mov $0,%eax; mov $0xc3050f,%eax... */
	memcpy(write_view, "\x90\x90\x90\x90\xb8\xff\xd0\x00\x00\xc3", 10);
	CHECK_EQ(call_at(run_view, 0, 0, 0), 0xd0ff);
	close(fd);
	say("200 sites called");
	return 0;
}
