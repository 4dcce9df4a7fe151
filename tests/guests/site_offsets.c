/* site_offsets - row 6: a site at every offset of a cache line, across a line and across a page */
#include "code.h"
#include "maps.h"

static struct maps before, after;

int main(void)
{
	unsigned char *page = map_pages(3, PROT_RW);
	for (int i = 0; i < 64; i++)
		put_call(page + 128 * i + i, i % 2 ? SYS_getuid : 500 + i);
	unsigned char *pairs = map_pages(64, PROT_RW);
	for (int i = 0; i < 16; i++) /* the site's first byte at page offset 4088 .. 4103 */
		put_call(pairs + 2 * i * CODE_PAGE + 4088 + i - CODE_SITE, SYS_getuid);
	protect(page, 3, PROT_RX);
	protect(pairs, 64, PROT_RX);
	unsigned lines = 0;
	for (int again = 0; again < 3; again++) {
		for (int i = 0; i < 64; i++) {
			unsigned char *code = page + 128 * i + i;
			lines |= 1u << ((uintptr_t)(code + CODE_SITE) % 64 == 63);
			CHECK_EQ(call_at(code, 0, 0, 0), i % 2 ? (long)getuid() : -ENOSYS);
		}
		for (int i = 0; i < 16; i++)
			CHECK_EQ(call_at(pairs + 2 * i * CODE_PAGE + 4088 + i - CODE_SITE, 0, 0, 0), getuid());
		if (!again)
			read_maps(&before);
	}
	read_maps(&after);
	check_same_maps(&before, &after);
	CHECK(lines == 3);
	say("80 sites called");
	return 0;
}
