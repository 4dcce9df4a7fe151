/* jump_churn_far - issue 5: as jump_churn, over 320 GiB of addresses, where each 2 GiB need stubs of their own;
 * neither memory nor mappings grow with it */
#include "jump.h"
#include "maps.h"

CODE_PAGE_OF_CALLS(image, 102);
static struct maps maps;

static long mappings(void)
{
	long count = 0;
	read_maps(&maps);
	for (size_t i = 0; i < maps.length; i++)
		count += maps.text[i] == '\n';
	return count;
}

int main(void)
{
	enum { ROUNDS = 20000, EARLY = 4000 };
	int fd = code_file(image, CODE_PAGE);
	uintptr_t place = 0x200000000000;
	long early_kb = 0, early_mappings = 0;
	for (int round = 0; round < ROUNDS; round++, place += (round % 16 ? 16UL : 1UL << 16) * CODE_PAGE) {
		if (round == EARLY)
			early_kb = resident_kb(), early_mappings = mappings();
		unsigned char *page = mmap((void *)place, CODE_PAGE, round % 2 ? PROT_RX : PROT_RW, round % 2 ? MAP_PRIVATE :
			MAP_PRIVATE | MAP_ANONYMOUS, round % 2 ? fd : -1, 0);
		CHECK(page != MAP_FAILED);
		if (round % 2 == 0) {
			memcpy(page, image, CODE_PAGE);
			protect(page, 1, PROT_RX);
		}
		run_page(page, 1), run_page(page, 1);
		CHECK(munmap(page, CODE_PAGE) == 0);
	}
	long kb = resident_kb(), count = mappings();
	if (kb > early_kb + 1024)
		FAIL("resident memory grew from %ld to %ld KiB", early_kb, kb);
	if (count > early_mappings + 64)
		FAIL("mappings grew from %ld to %ld", early_mappings, count);
	say("%d rounds", ROUNDS);
	return 0;
}
