/* site_reuse - row 2: code is freed and other code appears at its address: a `call *%rax` of the program's own */
#include "code.h"

static long target(void)
{
	return 4711;
}

static void put_own_call(unsigned char *at) /* push %rbx; mov $target,%rax; call *%rax; pop %rbx; ret; call at +11 */
{
	uint64_t address = (uint64_t)(uintptr_t)target;
	memcpy(at, "\x53\x48\xb8", 3);
	memcpy(at + 3, &address, 8);
	memcpy(at + 11, "\xff\xd0\x5b\xc3", 4);
}

int main(void)
{
	for (int way = 0; way < 4; way++) {
		unsigned char *page = map_pages(1, PROT_RWX);
		put_call(page + 11 - CODE_SITE, SYS_getuid);
		for (int again = 0; again < 3; again++)
			CHECK_EQ(call_at(page + 11 - CODE_SITE, 0, 0, 0), getuid());
		if (way == 0)
			CHECK(munmap(page, CODE_PAGE) == 0);
		if (way < 2)
			CHECK(mmap(page, CODE_PAGE, PROT_RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page);
		if (way == 2) {
			unsigned char *fresh = map_pages(1, PROT_RWX);
			CHECK(mremap(fresh, CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page) == page);
		}
		if (way == 3)
			protect(page, 1, PROT_RW);
		put_own_call(page);
		protect(page, 1, PROT_RX);
		for (int again = 0; again < 3; again++)
			CHECK_EQ(call_at(page, 0, 0, 0), 4711);
	}
	say("own calls after munmap, mmap, mremap, mprotect");
	return 0;
}
