/* life_int80 - rows 2, 22: called code is unmapped, replaced or made writable by `int $0x80` */
#include "life.h"

enum { MUNMAP = 91, MPROTECT = 125, MREMAP = 163, MADVISE = 219 };

static long call_32(long nr, long a, long b, long c, long d, long e)
{
	long result;
	asm volatile("int $0x80" : "=a"(result) : "0"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
	return (int)result;
}

static unsigned char *low_page(void)
{
	void *p = mmap(NULL, CODE_PAGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	CHECK(p != MAP_FAILED);
	return p;
}

int main(void)
{
	if (call_32(199, 0, 0, 0, 0, 0) == -ENOSYS)
		SKIP("no 32-bit calls in this kernel");
	for (int way = 0; way < 4; way++) {
		unsigned char *page = fill_sites(low_page()), *other = low_page();
		long at = (long)page;
		protect(page, 1, way == 3 ? PROT_RWX : PROT_RX);
		run_sites(page);
		if (way == 0)
			CHECK(call_32(MUNMAP, at, CODE_PAGE, 0, 0, 0) == 0 && map_again(page) == page);
		if (way == 1)
			CHECK(call_32(MPROTECT, at, CODE_PAGE, PROT_RW, 0, 0) == 0);
		if (way == 2)
			CHECK(call_32(MREMAP, (long)fill_calls(other), CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at) == at);
		if (way == 3)
			CHECK(call_32(MADVISE, at, CODE_PAGE, MADV_DONTNEED, 0, 0) == 0 && page[SPOT_AFTER] == 0);
		if (way != 2)
			fill_calls(page);
		CHECK(call_32(MPROTECT, at, CODE_PAGE, PROT_RX, 0, 0) == 0);
		run_calls(page);
		say("way %d", way);
	}
	return 0;
}
