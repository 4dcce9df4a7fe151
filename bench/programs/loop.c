/* loop.c - the time of one call, measured in a loop
 *
 *     loop KIND NUMBER MILLISECONDS [CPU]
 *
 * KIND call      a C call through a function pointer (callee.c)
 *      library   the same, into a shared library
 *      libc      libc's syscall(), which a preloaded library may override (override.c)
 *      mov       system call NUMBER, 39 or 500, by `mov` of it to eax, and `syscall`
 *      syscall   system call NUMBER, through one `syscall` instruction, with padding in reach of a short jump
 *      others    the same, with something that takes the call: see the table of kinds, and the files named there.
 *                CPU: where its second process runs, if it has one; else on the same processor
 *
 * Warms up, sizes the loop so that CHUNKS of it take about MILLISECONDS, and prints the median chunk:
 * nanoseconds per call, the last result, the bytes of the site, or of the mov and the site, as they are afterwards,
 * the number of calls made, what the hook says to HOOK_COUNT (-ENOSYS: there is none; 0 for C calls), and the
 * components of extended state in use meanwhile. From these the driver knows what it has measured. Exit status 77: this
 * machine can't do it.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hook.h"

#define CHUNKS 31
#define WARM_UP 200

extern const unsigned char loop_mov_39[], loop_mov_500[];

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The label makes a second copy of the site an error of the assembler. */
static __attribute__((noinline, aligned(64))) long loop_syscall(long number, long count)
{
	long result = 0;

	for (long i = 0; i < count; i++)
		__asm__ volatile(".globl loop_site\nloop_site:\n\tsyscall"
				 : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
	return result;
}

/* The same, and both have the padding in reach. */
#define LOOP_MOV(nr)                                                                                                  \
	static __attribute__((noinline, aligned(64))) long loop_by_mov_##nr(long number, long count)                  \
	{                                                                                                             \
		long result = 0;                                                                                      \
														      \
		(void)number;                                                                                         \
		for (long i = 0; i < count; i++)                                                                      \
			__asm__ volatile(".globl loop_mov_" #nr "\nloop_mov_" #nr ":\n\tmovl $" #nr ", %%eax\n\tsyscall" \
					 : "=&a"(result) : : "rcx", "r11", "memory");                                 \
		return result;                                                                                        \
	}
LOOP_MOV(39)
LOOP_MOV(500)

static long (*volatile pointer)(long) = callee;

static __attribute__((noinline, aligned(64))) long loop_call(long number, long count)
{
	long (*function)(long) = pointer;
	long result = 0;

	for (long i = 0; i < count; i++)
		result = function(number);
	return result;
}

static __attribute__((noinline, aligned(64))) long loop_libc(long number, long count)
{
	long result = 0;

	for (long i = 0; i < count; i++)
		result = syscall(number);
	return result;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct measured {
	long (*loop)(long number, long count);
	const unsigned char *code;     /* what is printed of it */
	int size;
	long number;
	long calls;                    /* made so far */
	unsigned in_use;               /* as components_in_use() has it */
};

static long run(struct measured *what, long count)
{
	what->calls += count;
	return what->loop(what->number, count);
}

/* Calls per chunk, so that a chunk takes about `ns`. */
static long size_chunk(struct measured *what, double ns)
{
	long count = 64;

	for (;;) {
		double start = now_ns();

		run(what, count);
		double took = now_ns() - start;

		if (took >= ns / 4)
			return 1 + (long)((double)count * ns / took);
		count *= 2;
	}
}

/* Bits as in XCR0; all where the CPU doesn't tell. */
static unsigned components_in_use(void)
{
	enum { LEAF = 0xd, KNOWS_XGETBV_1 = 1 << 2 };
	unsigned a, b, c, d;

	if (!__get_cpuid_count(LEAF, 1, &a, &b, &c, &d) || !(a & KNOWS_XGETBV_1))
		return ~0u;
	__asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(1));
	return a;
}

static void measure(struct measured *what, double chunk_ns)
{
	double ns[CHUNKS];
	long result = run(what, WARM_UP);
	long count = size_chunk(what, chunk_ns);

	for (int i = 0; i < CHUNKS; i++) {
		double start = now_ns();

		result = run(what, count);
		ns[i] = (now_ns() - start) / (double)count;
	}
	what->in_use = components_in_use();
	qsort(ns, CHUNKS, sizeof(ns[0]), compare_doubles);
	printf("%.3f %ld ", ns[CHUNKS / 2], result);
	for (int i = 0; i < what->size; i++)
		printf("%02x", what->code[i]);
}

static int arm_sud(int cpu) { (void)cpu; return sud_arm(SUD_LIBC_ONLY); }
static int arm_allowed(int cpu) { (void)cpu; return sud_arm(SUD_EVERYWHERE); }
static int arm_int3(int cpu) { (void)cpu; return breakpoint_arm(BREAKPOINT_INT3); }
static int arm_ud2(int cpu) { (void)cpu; return breakpoint_arm(BREAKPOINT_UD2); }
static int arm_seccomp(int cpu) { (void)cpu; return seccomp_arm(); }
static int arm_tracer(int cpu) { return ptrace_arm(TRACER_SYSCALL, cpu); }
static int arm_emulator(int cpu) { return ptrace_arm(TRACER_SYSEMU, cpu); }

static const struct kind {
	const char *name;
	const char *needs;
	int (*arm)(int cpu);
} kinds[] = {
	{ "syscall", "", NULL },
	{ "mov", "", NULL },
	{ "call", "", NULL },
	{ "library", "", NULL },
	{ "libc", "", NULL },
	{ "sud", "syscall user dispatch", arm_sud },         /* answered by a bare signal handler */
	{ "armed", "syscall user dispatch", arm_allowed },   /* SUD armed, and the site inside the allowed range */
	{ "int3", "breakpoint", arm_int3 },
	{ "ud2", "undefined instruction", arm_ud2 },
	{ "seccomp", "SECCOMP_RET_TRAP", arm_seccomp },
	{ "notify", "seccomp user notification", notify_arm },
	{ "ptrace", "ptrace", arm_tracer },
	{ "sysemu", "ptrace", arm_emulator },
};

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(name, kinds[i].name) == 0)
			return &kinds[i];
	fprintf(stderr, "loop: no kind %s; there are", name);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		fprintf(stderr, " %s", kinds[i].name);
	fprintf(stderr, "\n");
	exit(2);
}

static void arm_or_skip(const struct kind *kind, int cpu)
{
	int r = kind->arm ? kind->arm(cpu) : 0;

	if (r >= 0)
		return;
	fprintf(stderr, "loop: no %s here: %s\n", kind->needs, strerror(-r));
	exit(77);
}

void loop_move_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == 0)
		return;
	perror("loop: processor");
	exit(1);
}

static struct measured choose_loop(const char *kind, long number)
{
	if (strcmp(kind, "library") == 0)
		pointer = library_callee;
	if (strcmp(kind, "library") == 0 || strcmp(kind, "call") == 0)
		return (struct measured){ loop_call, loop_site, 2, number, 0, 0 };
	if (strcmp(kind, "libc") == 0)
		return (struct measured){ loop_libc, loop_site, 2, number, 0, 0 };
	if (strcmp(kind, "mov") != 0)
		return (struct measured){ loop_syscall, loop_site, 2, number, 0, 0 };
	return number == HOOK_GETPID ? (struct measured){ loop_by_mov_39, loop_mov_39, 7, number, 0, 0 }
				     : (struct measured){ loop_by_mov_500, loop_mov_500, 7, number, 0, 0 };
}

/* What the hook says it has seen. */
static long ask_count(const struct measured *what)
{
	if (what->loop == loop_call)
		return 0;
	return what->loop == loop_libc ? loop_libc(HOOK_COUNT, 1) : loop_syscall(HOOK_COUNT, 1);
}

int main(int argc, char **argv)
{
	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: loop KIND NUMBER MILLISECONDS [CPU]\n");
		return 2;
	}
	struct measured what = choose_loop(argv[1], atol(argv[2]));

	arm_or_skip(find_kind(argv[1]), argc == 5 ? atoi(argv[4]) : -1);
	measure(&what, atof(argv[3]) * 1e6 / CHUNKS);
	printf(" %ld %ld %x\n", what.calls, ask_count(&what), what.in_use);
	return 0;
}
