/* jump_churn.h - code is mapped, called and unmapped ROUNDS times, each time at another address, in a file and not;
 * neither memory nor mappings grow with it */
#ifndef GUEST_JUMP_CHURN_H
#define GUEST_JUMP_CHURN_H

#include "jump.h"
#include "maps.h"

enum { ROUNDS = 20000, EARLY = 4000 };
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

static void churn_at(void *place, int fd)
{
	unsigned char *page = mmap(place, CODE_PAGE, fd < 0 ? PROT_RW : PROT_RX, fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS :
		MAP_PRIVATE, fd, 0);
	CHECK(page != MAP_FAILED);
	if (fd < 0) {
		memcpy(page, image, CODE_PAGE);
		protect(page, 1, PROT_RX);
	}
	run_page(page, 1), run_page(page, 1);
	CHECK(munmap(page, CODE_PAGE) == 0);
}

/* Every 16th time it goes on `far` pages further, else 16. */
static int churn(uintptr_t far, long most_kb)
{
	int fd = code_file(image, CODE_PAGE);
	uintptr_t place = 0x200000000000;
	long early_kb = 0, early_mappings = 0, kb, count;
	for (int round = 0; round < ROUNDS; round++, place += (round % 16 ? 16UL : far) * CODE_PAGE) {
		if (round == EARLY)
			early_kb = resident_kb(), early_mappings = mappings();
		churn_at((void *)place, round % 2 ? fd : -1);
	}
	kb = resident_kb(), count = mappings();
	if (kb > early_kb + most_kb)
		FAIL("resident memory grew from %ld to %ld KiB", early_kb, kb);
	if (count > early_mappings + 64)
		FAIL("mappings grew from %ld to %ld", early_mappings, count);
	say("%d rounds", ROUNDS);
	return 0;
}

#endif
