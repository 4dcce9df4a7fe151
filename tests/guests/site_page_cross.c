/* site_page_cross - rows 6 and 7: a site across two pages of different protections; each page keeps its own */
#include "code.h"
#include "maps.h"

static struct maps before, after;

int main(void)
{
	static const int protections[][2] = { { PROT_RX, PROT_RX }, { PROT_RX, PROT_RWX }, { PROT_RWX, PROT_RX },
		{ PROT_RWX, PROT_RWX }, { PROT_EXEC, PROT_RX }, { PROT_RX, PROT_EXEC } };
	unsigned char *page[COUNT_OF(protections)];
	for (size_t i = 0; i < COUNT_OF(protections); i++) {
		page[i] = map_pages(2, PROT_RW);
		put_call(page[i] + CODE_PAGE - 6, SYS_getuid); /* 0f | 05 */
		protect(page[i], 1, protections[i][0]);
		protect(page[i] + CODE_PAGE, 1, protections[i][1]);
	}
	read_maps(&before);
	for (int again = 0; again < 5; again++)
		for (size_t i = 0; i < COUNT_OF(protections); i++)
			CHECK_EQ(call_at(page[i] + CODE_PAGE - 6, 0, 0, 0), getuid());
	read_maps(&after);
	check_same_maps(&before, &after);
	say("maps are the same");
	return 0;
}
