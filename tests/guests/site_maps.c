/* site_maps - row 7: /proc/self/maps is the same before and after the first call of a site, private or in a file */
#include "code.h"
#include "maps.h"

static struct maps before, after;

int main(void)
{
	unsigned char *page = map_pages(4, PROT_RW);
	for (int i = 0; i < 4; i++)
		put_call(page + i * CODE_PAGE + 100, SYS_getuid);
	protect(page, 4, PROT_RX);
	read_maps(&before);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(call_at(page + i * CODE_PAGE + 100, 0, 0, 0), getuid());
		read_maps(&after);
		check_same_maps(&before, &after);
	}
	CHECK(getppid() > 0 && sched_yield() == 0 && access("/", R_OK) == 0 && chdir("/") == 0); /* fresh sites of libc */
	read_maps(&after);
	check_same_maps(&before, &after);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(call_at(page + i * CODE_PAGE + 100, 0, 0, 0), getuid());
	read_maps(&after);
	check_same_maps(&before, &after);
	say("maps are the same");
	return 0;
}
