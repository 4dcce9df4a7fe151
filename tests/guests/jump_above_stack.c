/* jump_above_stack - issue 5: code above the stack is called, as the vDSO's is where the kernel puts that there; the
 * stack then grows as far as its limit lets it */
#include "jump.h"
#include <sys/resource.h>

enum { LIMIT_MB = 200, DEEP_MB = 150 };

static __attribute__((noinline)) long dig(int mb)
{
	volatile char room[1 << 20];
	room[0] = (char)mb;
	long below = mb ? dig(mb - 1) : 0;
	return below + room[0] - (char)mb;
}

int main(int argc, char **argv)
{
	struct rlimit limit = { (rlim_t)LIMIT_MB << 20, RLIM_INFINITY };
	unsigned char image[CODE_PAGE];
	uintptr_t above;
	memset(image, 0x90, sizeof(image));
	if (argc == 1) {
		CHECK(getrlimit(RLIMIT_STACK, &limit) == 0);
		limit.rlim_cur = (rlim_t)LIMIT_MB << 20;
		if (limit.rlim_max < limit.rlim_cur)
			exit(77);
		CHECK(setrlimit(RLIMIT_STACK, &limit) == 0);
		execl("/proc/self/exe", argv[0], "again", NULL);
	}
	above = ((uintptr_t)&argc + 0x1000000) & -0x100000UL;
	for (int i = 0; i < 32; i++)
		put_call(image + 64 + 16 * i, SYS_getuid);
	if (above > 0x7fffffff0000 - CODE_PAGE)
		above = 0x7fffffff0000 - CODE_PAGE;
	file_code(code_file(image, sizeof(image)), 1, (void *)above, MAP_FIXED_NOREPLACE);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(call_at((char *)above + 64, 0, 0, 0), getuid());
	CHECK_EQ(dig(DEEP_MB), 0);
	say("deep enough");
	return 0;
}
