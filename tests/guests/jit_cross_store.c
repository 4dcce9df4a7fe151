/* jit_cross_store - rows 1, 2, 6: one thread changes a site to a nop and back by single stores while another runs
 * it; each
 * call is one or the other, and once the program has settled on one, exactly that one */
#include "code.h"
#include <stdatomic.h>

enum { ROUNDS = 800 };

static unsigned char *page;
static _Atomic long settled, generation;   /* what a call must answer; 0 while it changes. How often it has changed */
static _Atomic long checked;
static _Atomic bool is_over;

static void *runner(void *unused)
{
	while (!is_over) {
		long before = generation, expected = settled;
		unsigned a = 0, c = 0;
		if (expected)
			asm volatile("cpuid" : "+a"(a), "+c"(c) : : "rbx", "rdx", "memory");
		long result = call_at(page, 0, 0, 0);
		if (result != 500 && result != -ENOSYS)
			FAIL("answered %#lx", result);
		if (expected && before == generation) {
			if (result != expected)
				FAIL("generation %ld answered %ld, not %ld", before, result, expected);
			checked = before;
		}
	}
	return unused;
}

static void put_word(_Atomic uint64_t *word, bool is_call)
{
	uint64_t value;   /* mov $500,%eax; syscall, or a nop of two bytes; ret */
	memcpy(&value, is_call ? "\xb8\xf4\x01\x00\x00\x0f\x05\xc3" : "\xb8\xf4\x01\x00\x00\x66\x90\xc3", 8);
	atomic_store(word, value);
}

int main(void)
{
	pthread_t thread;
	unsigned seed = 1;
	page = map_pages(1, PROT_RWX);
	put_word((void *)page, true);
	CHECK(pthread_create(&thread, NULL, runner, NULL) == 0);
	for (long round = 1; round <= ROUNDS; round++) {
		bool is_call = round % 2;
		settled = 0;
		generation++;
		for (int flip = 0; flip < 6; flip++) {
			put_word((void *)page, flip % 2);
			for (volatile int spin = rand_r(&seed) % 4000; spin > 0; spin--)
				;
		}
		put_word((void *)page, is_call);
		settled = is_call ? -ENOSYS : 500;
		while (checked != generation)
			sched_yield();
	}
	is_over = true;
	CHECK(pthread_join(thread, NULL) == 0);
	say("%d rounds", ROUNDS);
	return 0;
}
