/* site_shared_writable - row 8: a JIT's code in a shared, writable and executable mapping of a file; the file stays as it is */
#include "code.h"

int main(void)
{
	char name[] = "/tmp/guest-XXXXXX";
	unsigned char now[CODE_SIZE];
	int fd = mkstemp(name);
	CHECK(fd >= 0 && ftruncate(fd, CODE_PAGE) == 0);
	unsigned char *code = mmap(NULL, CODE_PAGE, PROT_RWX, MAP_SHARED, fd, 0);
	unlink(name);
	if (code == MAP_FAILED)
		SKIP("/tmp is not executable");
	put_call(code, SYS_getuid);
	for (int again = 0; again < 3; again++)
		CHECK_EQ(call_at(code, 0, 0, 0), getuid());
	CHECK(pread(fd, now, CODE_SIZE, 0) == CODE_SIZE);
	CHECK(memcmp(now + CODE_SITE, "\x0f\x05\xc3", 3) == 0);
	say("called; file unchanged");
	return 0;
}
