/* sud_arguments - row 18: what prctl(PR_SET_SYSCALL_USER_DISPATCH) answers to odd arguments, in this kernel */
#include "dispatch.h"

static const volatile char allow = ALLOW;

int main(void)
{
	static const long modes[] = { 0, 1, 2, 3, -1, 1L << 32, (1L << 32) + 1 };
	static const struct { long offset, length; } ranges[] = {
		{ 0, 0 }, { 0, 1 }, { 0, -1 }, { 1, 0 }, { 1, -1 }, { 1, -2 }, { 4096, 4096 }, { -4096, 4096 },
		{ -4096, 4095 }, { -4096, 8192 }, { -1, 1 }, { -1, -1 },
	};
	const volatile char *const selectors[] = {
		&allow, (char *)-1L, (char *)-4096L, (char *)(1L << 63), (char *)0x7ffffffff000, (char *)0x800000000000,
		(char *)0xffffffffffffff, (char *)0x100000000000000, (char *)0x4141414141414141,
	};
	need_dispatch();
	for (size_t m = 0; m < COUNT_OF(modes); m++)
		for (size_t r = 0; r < COUNT_OF(ranges); r++)
			for (size_t s = 0; s < COUNT_OF(selectors); s++) {
				/* with any other selector than this it is on only if it would let everything through */
				bool is_safe = selectors[s] == &allow || ((long)selectors[s] < 0);
				long result = is_safe ? dispatch(modes[m], ranges[r].offset, ranges[r].length, selectors[s]) : 0;
				if (is_safe)
					say("mode %ld of [%ld, +%ld), selector %zu: %ld", modes[m], ranges[r].offset,
					    ranges[r].length, s, result);
			}
	for (size_t s = 0; s < COUNT_OF(selectors); s++) {   /* all of the address space but the last byte passes */
		long result = dispatch(DISPATCH_EXCLUSIVE, 1, -2, selectors[s]);
		say("selector %zu: %ld", s, result);
		CHECK_EQ(dispatch(DISPATCH_OFF, 0, 0, NULL), 0);
	}
	CHECK_EQ(dispatch(DISPATCH_OFF, 0, 0, &allow), -EINVAL);
	CHECK_EQ(raw6(SYS_prctl, DISPATCH_OPTION + (5L << 32), DISPATCH_EXCLUSIVE, 0, 0, (long)&allow, 0), 0);
	CHECK_EQ(raw6(SYS_prctl, DISPATCH_OPTION + (5L << 32), DISPATCH_OFF, 0, 0, 0, 0), 0);
	CHECK_EQ(raw6(SYS_prctl, DISPATCH_OPTION, DISPATCH_OFF, 0, 0, 0, 99), 0);
	return 0;
}
