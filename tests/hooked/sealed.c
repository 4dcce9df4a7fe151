/* sealed.c - hot calls in several threads while the agent's shared memory is read-only; for tests/test_sealed.py
 *
 *     sealed CASE ROUNDS PID
 *
 * CASE calls    getpid (which answers PID; 0: the real one), getppid and a number that no kernel has
 *      fresh    as calls, with one call from a site that has never run before: the agent has to write, and can't
 *
 * Each thread warms up and waits. At the first breakpoint sealer.c makes all memory read-only that is not the
 * program's, told in rdi and rsi, or a thread's slot; then every thread makes ROUNDS rounds of calls, and checks them.
 * At the second breakpoint it gives the memory back. While the agent is sealed nobody makes any other call.
 */
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { THREADS = 3, WARM_ROUNDS = 100, STACK = 0x10000, MOST_RANGES = 64, PAGE = 4096, NO_SUCH_CALL = 500 };
enum { CONTROL_BLOCK = 0x1000 };   /* no less than glibc's struct pthread */

struct range { uintptr_t start, end; };

static struct range own[MOST_RANGES];
static size_t owned;
static _Alignas(PAGE) char stacks[THREADS][STACK];
static long pid, parent, rounds;
static _Atomic int ready, done, wrong;
static _Atomic bool is_sealed, is_open;

/* With its mov next to it, so that every tactic rewrites it. */
#define CALL(number) ({ \
	long result_; \
	__asm__ volatile("mov %1, %%eax\n\tsyscall" : "=a"(result_) : "i"(number), "D"(0L), "S"(0L), "d"(0L) \
			 : "rcx", "r11", "memory"); \
	result_; })

static __attribute__((noinline)) long fresh(void)
{
	return CALL(SYS_getpid);
}

static __attribute__((noinline)) bool calls(void)
{
	return CALL(SYS_getpid) == pid && CALL(SYS_getppid) == parent && CALL(NO_SUCH_CALL) == -38;
}

static void *run(void *unused)
{
	for (int i = 0; i < WARM_ROUNDS; i++)
		wrong += !calls();
	ready++;
	while (!is_sealed)
		__builtin_ia32_pause();
	for (long i = 0; i < rounds; i++)
		wrong += !calls();
	done++;
	while (!is_open)
		__builtin_ia32_pause();
	return unused;
}

static void add(uintptr_t start, uintptr_t end)
{
	if (owned < MOST_RANGES)
		own[owned++] = (struct range){ start & -PAGE, (end + PAGE - 1) & -PAGE };
}

static int add_object(struct dl_phdr_info *object, size_t size, void *unused)
{
	(void)size;
	(void)unused;
	for (int i = 0; i < object->dlpi_phnum && !strstr(object->dlpi_name, "libzlazy"); i++) {
		uintptr_t start = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;
		if (object->dlpi_phdr[i].p_type == PT_LOAD)
			add(start, start + object->dlpi_phdr[i].p_memsz);
	}
	return 0;
}

static void breakpoint(void)
{
	__asm__ volatile("int3" : : "D"(own), "S"(owned) : "memory");
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	uintptr_t block;

	if (argc != 4)
		return 2;
	rounds = atol(argv[2]);
	pid = atol(argv[3]) ? atol(argv[3]) : getpid();
	parent = getppid();
	__asm__("movq %%fs:0, %0" : "=r"(block));
	add(block - PAGE, block + CONTROL_BLOCK);   /* with the thread variables below */
	dl_iterate_phdr(add_object, NULL);
	for (int i = 0; i < THREADS; i++) {
		pthread_attr_t attributes;
		pthread_attr_init(&attributes);
		pthread_attr_setstack(&attributes, stacks[i], STACK);
		if (pthread_create(&threads[i], &attributes, run, NULL) != 0)
			return 2;
	}
	for (int i = 0; i < WARM_ROUNDS; i++)
		wrong += !calls();
	while (ready < THREADS)
		__builtin_ia32_pause();
	breakpoint();
	is_sealed = true;
	if (strcmp(argv[1], "fresh") == 0)
		wrong += fresh() != pid;
	for (long i = 0; i < rounds; i++)
		wrong += !calls();
	while (done < THREADS)
		__builtin_ia32_pause();
	breakpoint();
	is_open = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("%ld rounds, %d wrong\n", rounds * (THREADS + 1), (int)wrong);
	return wrong ? 1 : 0;
}
