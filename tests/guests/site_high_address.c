/* site_high_address - design section 2: code above 2^47 */
#include "code.h"

int main(void)
{
	void *hint = (void *)(1UL << 48);
	unsigned char *page = mmap(hint, CODE_PAGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	if ((uintptr_t)page < 1UL << 47)
		SKIP("no 57-bit addresses here");
	for (int i = 0; i < 20; i++)
		put_call(page + 61 * i, SYS_getuid);
	protect(page, 1, PROT_RX);
	for (int again = 0; again < 3; again++)
		for (int i = 0; i < 20; i++)
			CHECK_EQ(call_at(page + 61 * i, 0, 0, 0), getuid());
	say("20 sites called");
	return 0;
}
