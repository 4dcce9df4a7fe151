/* jump_places_57 - issue 5: code above 2^47, where addresses have 57 bits: at once, by mov and by cave, and moved
 * down and up again */
#include "jump.h"

CODE_PAGE_OF_CALLS(image, 102);

int main(void)
{
	static const uintptr_t places[] = { 1UL << 47, 1UL << 48, 0x12345678900000, (1UL << 56) - 0x10000 };
	int fd = code_file(image, CODE_PAGE);
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		unsigned char *page = mmap((void *)places[i], CODE_PAGE, PROT_RX, MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, 0);
		if (page == MAP_FAILED)
			SKIP("no addresses of 57 bits");
		for (int again = 0; again < 3; again++)
			run_page(page, CALLS / 2);
		unsigned char *low = map_pages(1, PROT_NONE), *back;
		CHECK(mremap(page, CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, low) == low);
		run_page(low, CALLS), run_page(low, CALLS);
		back = mremap(low, CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)places[i]);
		CHECK((uintptr_t)back == places[i]);
		run_page(back, CALLS), run_page(back, CALLS);
	}
	say("called at %zu places", COUNT_OF(places));
	return 0;
}
