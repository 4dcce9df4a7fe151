/* jump_vectors - row 10: all of xmm, ymm or zmm and k survive calls by way of a cave and of a mov, the first and
 * later ones */
#include "jump.h"

#define ALL16 "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15"
#define ALL32 ALL16 ",16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31"
/* name(in, out, nr): load every register from in, make the call, store to out. */
#define VECTOR_CALL(name, number, move, reg, list, load_k, store_k) FUNCTION(name, \
	".irp n," list "\n" move " 64*\\n(%rdi),%" reg "\\n\n.endr\n" load_k number "syscall\n" PADDING \
	".irp n," list "\n" move " %" reg "\\n,64*\\n(%rsi)\n.endr\n" store_k "ret"); \
	extern void name(const void *in, void *out, long nr)
#define VECTOR_CALLS(name, ...) VECTOR_CALL(mov_##name, "movl $102,%eax\n", __VA_ARGS__); \
	VECTOR_CALL(cave_##name, "movq %rdx,%rax\n", __VA_ARGS__)
VECTOR_CALLS(sse, "movups", "xmm", ALL16, "", "");
VECTOR_CALLS(avx, "vmovups", "ymm", ALL16, "", "vzeroupper\n");
VECTOR_CALLS(avx512, "vmovups", "zmm", ALL32, ".irp n,0,1,2,3,4,5,6,7\nkmovq 2048+8*\\n(%rdi),%k\\n\n.endr\n",
	".irp n,0,1,2,3,4,5,6,7\nkmovq %k\\n,2048+8*\\n(%rsi)\n.endr\nvzeroupper\n");

static void run(const char *name, void (*call)(const void *, void *, long), size_t width, size_t registers)
{
	static unsigned char in[2048 + 64], out[2048 + 64];
	for (int again = 0; again < 300; again++) {
		for (size_t i = 0; i < sizeof(in); i++)
			in[i] = (unsigned char)(i * 7 + i / 64 + (size_t)again * 13 + 1);
		memset(out, 0, sizeof(out));
		call(in, out, again % 2 ? 500 : SYS_getuid);
		for (size_t i = 0; i < registers; i++)
			if (memcmp(in + 64 * i, out + 64 * i, width))
				FAIL("%s: register %zu changed in call %d", name, i, again);
		if (width == 64 && memcmp(in + 2048, out + 2048, 64))
			FAIL("%s: opmask changed in call %d", name, again);
	}
	say("%s: %zu registers kept", name, registers);
}

int main(void)
{
	run("sse, mov", mov_sse, 16, 16), run("sse, cave", cave_sse, 16, 16);
	if (__builtin_cpu_supports("avx2"))
		run("avx, mov", mov_avx, 32, 16), run("avx, cave", cave_avx, 32, 16);
	if (__builtin_cpu_supports("avx512bw"))
		run("avx512, mov", mov_avx512, 64, 32), run("avx512, cave", cave_avx512, 64, 32);
	return 0;
}
