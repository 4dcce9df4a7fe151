/* vec_calls - row 10: whatever set of components is in use, a call keeps each register of each: a site's first call and
 * later ones, by way of a mov, of a cave and of int $0x80, passed on or answered by a hook; and a component in its
 * initial state is so again. (A trap leaves x87 in use, as every signal does.) */
#include "vectors.h"

CODE_PAGE_OF_CALLS(passed, 102);
CODE_PAGE_OF_CALLS(answered, 1500);   /* which the hook clobber answers by itself, with the kernel's words */
FUNCTION(call_int80, "movl $199,%eax; int $0x80; ret");
extern call_function call_int80;

static struct vectors v;
static unsigned char original[2][CODE_PAGE];

static void try(const char *name, const unsigned char *code, const unsigned char *was, long expected, uint64_t strict)
{
	bool rewritten = was && memcmp(code, was, 24);
	v.call = (call_function *)(uintptr_t)code;
	vectors_call(&v);
	CHECK_EQ(v.result, expected);
	vectors_check_loaded(&v);
	vectors_check(&v, v.before, ~0ul, name);
	vectors_check_unused(&v, strict | (rewritten ? BIT(X87) : 0), name);
}

/* What xgetbv(1) says of components that the call must not bring into use; AVX if vzeroupper makes it unused here. */
static uint64_t strict_mask(void)
{
	unsigned low = 0, high = 0;
	if (v.mask & BIT(AVX) && vectors_tell)
		asm volatile("vpcmpeqd %%ymm0,%%ymm0,%%ymm0; vzeroupper; xgetbv" : "=a"(low), "=d"(high) : "c"(1) : "xmm0");
	return 7 << OPMASKS | AMX | BIT(APX) | (vectors_tell && !(low & BIT(AVX)) ? BIT(AVX) : 0);
}

static void try_state(unsigned state, uint64_t strict, bool int80)
{
	unsigned at = 64 * state;
	for (unsigned again = 0; again < 8; again++) {
		vectors_fill(&v, vectors_state(&v, state), state + again * 17, again % 4 == 3);
		v.arg[0] = 0;
		try("mov", passed + at, original[0] + at, getuid(), strict);
		try("mov, answered", answered + at, original[1] + at, -ENOSYS, strict);
		v.arg[0] = SYS_getgid;
		try("cave", passed + at + CAVE_AT, original[0] + at + CAVE_AT, getgid(), strict);
		v.arg[0] = 1500;
		try("cave, answered", answered + at + CAVE_AT, original[1] + at + CAVE_AT, -ENOSYS, strict);
		if (int80)
			try("int $0x80", (void *)call_int80, NULL, getuid(), strict);
	}
}

int main(void)
{
	v.mask = vectors_start();
	memcpy(original[0], passed, CODE_PAGE), memcpy(original[1], answered, CODE_PAGE);
	bool int80 = call_int80(0, 0, 0) != -ENOSYS;
	uint64_t strict = strict_mask();
	for (unsigned state = 0; state < 64; state++)
		try_state(state, strict, int80);
	say("components %#lx kept, %#lx unused when they were", v.mask, v.mask & strict);
	return 0;
}
