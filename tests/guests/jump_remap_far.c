/* jump_remap_far - issue 5, row 2: called code is moved by mremap to where no jump of before reaches: low, high,
 * next to the stack */
#include "jump.h"

CODE_PAGE_OF_CALLS(image, 102);

int main(void)
{
	char on_stack;
	void *const places[] = { (void *)0x20000000, (void *)0x3ffff0000000, (void *)0x100000000,
		(void *)(((uintptr_t)&on_stack & ~0xfffUL) - (64UL << 20)), (void *)0x60000000 };
	unsigned char *page = file_code(code_file(image, CODE_PAGE), 1, NULL, 0);
	for (int round = 0; round < 20; round++) {
		unsigned char *place = places[(size_t)round % COUNT_OF(places)];
		void *got = mmap(place, CODE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (got != place)
			continue;
		CHECK(mremap(page, CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place);
		page = place;
		run_page(page, 20 + 2 * round), run_page(page, 20 + 2 * round);
	}
	say("moved about");
	return 0;
}
