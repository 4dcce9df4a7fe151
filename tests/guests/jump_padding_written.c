/* jump_padding_written - issue 5, cave: the program writes a function into padding, and runs it, while the sites
 * next to it go on */
#include "jump.h"

CODE_PAGE_OF_CALLS(page, 102);
static unsigned char pristine[CODE_PAGE];

static void fill(bool with_code)
{
	static const char code[] = "\xb8\x67\x12\x00\x00\xc3"; /* mov $4711,%eax; ret */
	for (int i = 0; i < CALLS; i++)
		for (int at = CAVE_PADDING; at + 6 <= 64; at += 6)
			memcpy(page + 64 * i + at, with_code ? (const void *)code : pristine + 64 * i + at, 6);
}

static void check_filled(void)
{
	for (int i = 0; i < CALLS; i++)
		for (int at = CAVE_PADDING; at + 6 <= 64; at += 6)
			CHECK_EQ(call_at(page + 64 * i + at, 0, 0, 0), 4711);
}

int main(void)
{
	memcpy(pristine, page, CODE_PAGE);
	for (int round = 0; round < 6; round++) {
		run_page(page, CALLS / 2 + 5 * round);
		run_page(page, CALLS / 2 + 5 * round);
		protect(page, 1, round % 2 ? PROT_RWX : PROT_RW);
		fill(true);
		if (round % 2) {
			check_filled();
			run_page(page, CALLS);
		}
		protect(page, 1, PROT_RX);
		for (int again = 0; again < 3; again++) {
			run_page(page, CALLS);
			check_filled();
		}
		protect(page, 1, PROT_RW);
		fill(false);
		CHECK(memcmp(page, pristine, CODE_PAGE) == 0);
		protect(page, 1, PROT_RX);
	}
	say("6 rounds");
	return 0;
}
