/* jump_writable - issue 5: code that was called is made writable: its own bytes are there again; a changed number
 * is the one called */
#include "jump.h"

CODE_PAGE_OF_CALLS(page, 102);
static unsigned char pristine[CODE_PAGE];

static void renumber(int nr)
{
	for (int i = 0; i < CALLS; i++)
		memcpy(page + 64 * i + 1, &nr, 4);
}

int main(void)
{
	static const int writable[] = { PROT_RW, PROT_RWX, PROT_WRITE, PROT_RW };
	memcpy(pristine, page, CODE_PAGE);
	for (int round = 0; round < 8; round++) {
		run_page(page, 10 + round * 7);
		run_page(page, 10 + round * 7);
		protect(page, 1, writable[round % 4]);
		CHECK(memcmp(page, pristine, CODE_PAGE) == 0);
		renumber(SYS_getgid);
		if (writable[round % 4] == PROT_RWX)
			for (int i = 0; i < CALLS; i++)
				CHECK_EQ(mov_in(page, i, 0, 0, 0), getgid());
		protect(page, 1, PROT_RX);
		for (int again = 0; again < 3; again++)
			for (int i = 0; i < CALLS; i++) {
				CHECK_EQ(mov_in(page, i, 0, 0, 0), getgid());
				CHECK_EQ(cave_in(page, i, again ? 500 : SYS_getuid, 0, 0, 0), again ? -ENOSYS : (long)getuid());
			}
		protect(page, 1, PROT_RW);
		renumber(SYS_getuid);
		CHECK(memcmp(page, pristine, CODE_PAGE) == 0);
		protect(page, 1, PROT_RX);
	}
	say("8 rounds");
	return 0;
}
