/* site_private_file - rows 7 and 8: code mapped MAP_PRIVATE from a file; neither file nor maps change */
#include "code.h"
#include "maps.h"

static struct maps before, after;

int main(void)
{
	char name[] = "/tmp/guest-XXXXXX";
	unsigned char page[CODE_PAGE] = { 0 }, now[CODE_PAGE];
	for (int i = 0; i < 10; i++)
		put_call(page + 61 * i, SYS_getuid);
	int fd = mkstemp(name);
	CHECK(fd >= 0 && write(fd, page, CODE_PAGE) == CODE_PAGE);
	unsigned char *code = mmap(NULL, CODE_PAGE, PROT_RX, MAP_PRIVATE, fd, 0);
	if (code == MAP_FAILED)
		SKIP("/tmp is not executable");
	read_maps(&before);
	for (int again = 0; again < 5; again++)
		for (int i = 0; i < 10; i++)
			CHECK_EQ(call_at(code + 61 * i, 0, 0, 0), getuid());
	read_maps(&after);
	check_same_maps(&before, &after);
	CHECK(pread(fd, now, CODE_PAGE, 0) == CODE_PAGE);
	CHECK(memcmp(now, page, CODE_PAGE) == 0);
	unlink(name);
	say("called; file and maps unchanged");
	return 0;
}
