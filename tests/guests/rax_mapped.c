/* rax_mapped - row 4: address rax is mapped but holds no code: data, no access at all, nothing */
#include "code.h"

int main(void)
{
	enum { LOW = 0x50000000 };
	void *low = mmap((void *)LOW, 3 * CODE_PAGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (low != (void *)LOW)
		SKIP("%#x is taken", LOW);
	memset(low, 0xc3, CODE_PAGE);
	protect((char *)low + CODE_PAGE, 1, PROT_NONE);
	CHECK(munmap((char *)low + 2 * CODE_PAGE, CODE_PAGE) == 0);
	unsigned char *page = map_pages(1, PROT_RW);
	for (int i = 0; i < 3; i++)
		put_variable_call(page + 64 * i);
	protect(page, 1, PROT_RX);
	static const char *const names[] = { "data", "no access", "not mapped" };
	for (int i = 0; i < 3; i++) {
		for (int again = 0; again < 3; again++)
			CHECK_EQ(call_at(page + 64 * i, LOW + i * CODE_PAGE + 16, 0, 0), -ENOSYS);
		CHECK_EQ(call_at(page + 64 * i, SYS_getuid, 0, 0), getuid());
		say("%s: no such call", names[i]);
	}
	return 0;
}
