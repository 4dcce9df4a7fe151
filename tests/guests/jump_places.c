/* jump_places - issue 5: code wherever it may lie: at 64 KiB, low, around 2, 4 and 6 GiB, in the middle, below
 * 2^47, beside the stack */
#include "jump.h"

CODE_PAGE_OF_CALLS(image, 102);

int main(void)
{
	char on_stack;
	const uintptr_t stack = (uintptr_t)&on_stack & ~0xfffUL;
	const uintptr_t places[] = { 0x10000, 0x11000, 0x200000, 0x7ffff000, 0x80000000, 0xfffff000, 0x100000000,
		0x180000000, 0x3fff00000000, 1UL << 46, (1UL << 46) - 4096,
		(1UL << 47) - 3 * 4096, stack - (32UL << 20), stack - (1UL << 30) };
	int fd = code_file(image, CODE_PAGE), here = 0;
	for (size_t i = 0; i < COUNT_OF(places); i++)
		for (int file = 0; file < 2; file++) {
			unsigned char *page = mmap((void *)places[i], CODE_PAGE, PROT_RW, MAP_PRIVATE | MAP_FIXED_NOREPLACE |
				(file ? 0 : MAP_ANONYMOUS), file ? fd : -1, 0);
			if (page == MAP_FAILED)
				continue; /* taken, or below vm.mmap_min_addr */
			CHECK((uintptr_t)page == places[i]);
			if (!file)
				memcpy(page, image, CODE_PAGE);
			protect(page, 1, PROT_RX);
			for (int again = 0; again < 3; again++)
				run_page(page, CALLS);
			CHECK(munmap(page, CODE_PAGE) == 0);
			here++;
		}
	CHECK(here > 12);
	say("called wherever they lay");
	return 0;
}
