/* proc_child_vectors - rows 10, 14: a child of fork, and of clone on a stack of its own, has the vector registers of its
 * parent, to the last one; also after a signal handler has returned */
#include "guest.h"

#define ALL(do) do(0) do(1) do(2) do(3) do(4) do(5) do(6) do(7) do(8) do(9) do(10) do(11) do(12) do(13) do(14) do(15)
#define UPPER(do) do(16) do(17) do(18) do(19) do(20) do(21) do(22) do(23) do(24) do(25) do(26) do(27) do(28) do(29) \
	do(30) do(31)
#define LOAD512(n) "vmovdqa64 " #n "*64(%[in]),%%zmm" #n "\n\t"
#define STORE512(n) "vmovdqa64 %%zmm" #n "," #n "*64(%[out])\n\t"
#define LOAD128(n) "movaps " #n "*64(%[in]),%%xmm" #n "\n\t"
#define STORE128(n) "movaps %%xmm" #n "," #n "*64(%[out])\n\t"
#define CLONE(load, store) asm volatile(load "syscall\n\t" store \
	"testq %%rax,%%rax; jnz 1f; andq $-16,%%rsp; call check_child; 1:" : "=a"(result) \
	: "0"(nr), "D"(flags), "S"(stack_top), "d"(0L), [in] "r"(in), [out] "r"(out) : "rcx", "r11", "memory")

static uint64_t in[32][8] __attribute__((aligned(64))), out[32][8] __attribute__((aligned(64)));
static char stack[65536] __attribute__((aligned(64)));
static int registers = 16, quads = 2;

__attribute__((used)) void check_child(void)
{
	int wrong = 0;
	for (int i = 0; i < registers; i++)
		wrong += memcmp(in[i], out[i], 8 * (size_t)quads) != 0;
	raw1(SYS_exit, wrong);
}

static void try(const char *name, long nr, long flags, char *stack_top)
{
	long result;
	if (quads == 8)
		CLONE(ALL(LOAD512) UPPER(LOAD512), ALL(STORE512) UPPER(STORE512));
	else
		CLONE(ALL(LOAD128), ALL(STORE128));
	CHECK(result > 0);
	say("%s: %#x", name, wait_child((pid_t)result));
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
}

int main(void)
{
	if (__builtin_cpu_supports("avx512f"))
		registers = 32, quads = 8;
	for (int i = 0; i < 32; i++)
		for (int j = 0; j < 8; j++)
			in[i][j] = 0x1111111100000000u * (uint64_t)(j + 1) + (uint64_t)i;
	try("fork", SYS_fork, 0, NULL);
	handle(SIGUSR1, on_signal, 0);
	CHECK(raise(SIGUSR1) == 0);
	try("fork", SYS_fork, 0, NULL);
	try("clone", SYS_clone, CLONE_VM | SIGCHLD, stack + sizeof(stack) - 1024);
	return 0;
}
