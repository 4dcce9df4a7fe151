/* jit.c - a JIT that maps, writes, runs and frees blocks of code
 *
 *     jit STYLE EACH BLOCKS
 *
 * STYLE rx    mmap for writing, mprotect to execute
 *       rwx   mmap for both
 * EACH  N     a raw getpid in every Nth block, made once in each of its runs; 0: in none
 *
 * A block is a loop over some hundred instructions of arithmetic, about 1 KiB, different each time, and runs RUNS times
 * before it is unmapped; the next one is mapped at the same address at once. What it computes is checked against C for
 * one block in CHECKED, the number of the process for every call.
 * Prints microseconds of processor time per block, how many blocks came to lie where the one before was, and how many
 * answers were wrong.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 4096, STEPS = 60, LOOPS = 20, RUNS = 4, CHECKED = 16 };

typedef uint64_t block_function(uint64_t start, long *pid);

static unsigned char *out;
static uint64_t seed = 0x9e3779b97f4a7c15;

static uint32_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32);
}

static void emit(const char *bytes, size_t size)
{
	memcpy(out, bytes, size);
	out += size;
}

static void emit32(uint32_t value)
{
	memcpy(out, &value, sizeof(value));
	out += sizeof(value);
}

#define EMIT(bytes) emit(bytes, sizeof(bytes) - 1)

/* One step: value = rotate(value * 5 + number, shift) ^ value. */
static void emit_step(uint32_t number, unsigned char shift)
{
	EMIT("\x48\x8d\x14\x80");                  /* lea (%rax,%rax,4), %rdx */
	EMIT("\x48\x81\xc2"); emit32(number);      /* add $number, %rdx */
	EMIT("\x48\xc1\xc2"); *out++ = shift;      /* rol $shift, %rdx */
	EMIT("\x48\x31\xd0");                      /* xor %rdx, %rax */
}

static uint64_t step(uint64_t value, uint32_t number, unsigned char shift)
{
	uint64_t next = value * 5 + (uint64_t)(int64_t)(int32_t)number;
	return value ^ (next << shift | next >> (64 - shift));
}

static uint32_t numbers[STEPS];
static unsigned char shifts[STEPS];

/* uint64_t block(uint64_t start, long *pid) */
static void emit_block(unsigned char *at, int has_call)
{
	unsigned char *loop;

	out = at;
	EMIT("\x53");                              /* push %rbx */
	EMIT("\x48\x89\xf8");                      /* mov %rdi, %rax */
	EMIT("\xbb"); emit32(LOOPS);               /* mov $LOOPS, %ebx */
	loop = out;
	for (int i = 0; i < STEPS; i++) {
		numbers[i] = next_random();
		shifts[i] = (unsigned char)(1 + next_random() % 63);
		emit_step(numbers[i], shifts[i]);
	}
	EMIT("\xff\xcb");                          /* dec %ebx */
	EMIT("\x0f\x85"); emit32((uint32_t)(loop - (out + 4)));   /* jnz loop */
	if (has_call) {
		EMIT("\x48\x89\xc3");              /* mov %rax, %rbx */
		EMIT("\xb8"); emit32(SYS_getpid);  /* mov $SYS_getpid, %eax */
		EMIT("\x0f\x05");                  /* syscall */
		EMIT("\x48\x89\x06");              /* mov %rax, (%rsi) */
		EMIT("\x48\x89\xd8");              /* mov %rbx, %rax */
	}
	EMIT("\x5b\xc3");                          /* pop %rbx; ret */
}

static uint64_t compute(uint64_t value)
{
	for (int i = 0; i < LOOPS; i++)
		for (int k = 0; k < STEPS; k++)
			value = step(value, numbers[k], shifts[k]);
	return value;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Map, write, run, unmap. Returns how many answers were wrong; *where: the block. */
static long one_block(int is_rwx, int has_call, int is_checked, long pid, void **where)
{
	int protection = PROT_READ | PROT_WRITE | (is_rwx ? PROT_EXEC : 0);
	unsigned char *at = mmap(NULL, BLOCK, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long wrong = 0;

	if (at == MAP_FAILED)
		fail("mmap");
	emit_block(at, has_call);
	if (!is_rwx && mprotect(at, BLOCK, PROT_READ | PROT_EXEC) != 0)
		fail("mprotect");
	for (uint64_t i = 0; i < RUNS; i++) {
		long answer = pid;
		uint64_t value = ((block_function *)(void *)at)(i, &answer);
		wrong += answer != pid || (is_checked && value != compute(i));
	}
	if (munmap(at, BLOCK) != 0)
		fail("munmap");
	*where = at;
	return wrong;
}

/* Of the processor, not of the wall: one thread that never waits. */
static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: jit rx|rwx EACH BLOCKS\n");
		return 2;
	}
	int is_rwx = strcmp(argv[1], "rwx") == 0;
	long each = atol(argv[2]), blocks = atol(argv[3]), pid = getpid(), wrong = 0, reused = 0;
	void *before = NULL, *at = NULL;
	double start = now_us();

	for (long i = 0; i < blocks; i++) {
		wrong += one_block(is_rwx, each && i % each == 0, i % CHECKED == 0, pid, &at);
		reused += at == before;
		before = at;
	}
	printf("%.4f %ld %ld\n", (now_us() - start) / (double)blocks, reused, wrong);
	return 0;
}
