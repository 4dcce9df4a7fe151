/* life_lengths_int80 - rows 2, 22: `int $0x80` maps 1 byte over a page of called code */
#include "life.h"

enum { MMAP2 = 192 };

static long map_byte(unsigned char *page)
{
	long result;
	asm volatile("push %%rbp; xor %%ebp,%%ebp; int $0x80; pop %%rbp" : "=a"(result)
		: "0"(MMAP2), "b"(page), "c"(1L), "d"(PROT_RWX), "S"(MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED), "D"(-1L)
		: "r8", "r9", "r10", "r11", "memory");
	return (int)result;
}

int main(void)
{
	unsigned char *page = mmap(NULL, CODE_PAGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	CHECK(page != MAP_FAILED);
	fill_sites(page);
	protect(page, 1, PROT_RX);
	run_sites(page);
	long result = map_byte(page);
	if (result == -ENOSYS)
		SKIP("no 32-bit calls in this kernel");
	CHECK(result == (long)page && page[SPOT_AFTER] == 0);
	run_calls(fill_calls(page));
	say("a byte over a page");
	return 0;
}
