/* site_shared_file - row 8: code mapped MAP_SHARED from a descriptor open for reading only; the file stays as it is */
#include "code.h"

int main(void)
{
	char name[] = "/tmp/guest-XXXXXX";
	unsigned char page[CODE_PAGE] = { 0 }, now[CODE_PAGE];
	for (int i = 0; i < 10; i++)
		put_call(page + 61 * i, SYS_getuid);
	int fd = mkstemp(name);
	CHECK(fd >= 0 && write(fd, page, CODE_PAGE) == CODE_PAGE);
	close(fd);
	CHECK((fd = open(name, O_RDONLY)) >= 0);
	unsigned char *code = mmap(NULL, CODE_PAGE, PROT_RX, MAP_SHARED, fd, 0);
	if (code == MAP_FAILED)
		SKIP("/tmp is not executable");
	for (int again = 0; again < 5; again++)
		for (int i = 0; i < 10; i++)
			CHECK_EQ(call_at(code + 61 * i, 0, 0, 0), getuid());
	CHECK(pread(fd, now, CODE_PAGE, 0) == CODE_PAGE);
	CHECK(memcmp(now, page, CODE_PAGE) == 0);
	unlink(name);
	say("called; file unchanged");
	return 0;
}
