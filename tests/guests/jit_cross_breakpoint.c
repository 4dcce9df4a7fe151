/* jit_cross_breakpoint - rows 1, 2, 6: one thread changes a site to a nop and back as kernels do, with int3 and
 * barriers, while others run it */
#include "code.h"
#include <linux/membarrier.h>

enum { ROUNDS = 600, THREADS = 2 };

static unsigned char *page;
static _Atomic bool is_over;
static _Atomic long calls;

static void on_breakpoint(int signo, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	(void)signo, (void)info;
	if (registers[REG_RIP] != (greg_t)(uintptr_t)(page + CODE_SITE + 1))
		FAIL("a breakpoint at %#llx, code at %p", registers[REG_RIP], (void *)page);
	registers[REG_RIP]--;   /* again, until it is gone */
}

static void *runner(void *unused)
{
	while (!is_over) {
		long result = call_at(page, 0, 0, 0);
		if (result != 500 && result != -ENOSYS)
			FAIL("answered %#lx", result);
		calls++;
	}
	return unused;
}

static void put_byte(int at, int byte)
{
	*(volatile unsigned char *)(page + at) = (unsigned char)byte;
	CHECK(raw3(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0) == 0);
}

int main(void)
{
	pthread_t thread[THREADS];
	if (raw3(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0) != 0)
		SKIP("no membarrier for code");
	handle(SIGTRAP, on_breakpoint, 0);
	page = put_call(map_pages(1, PROT_RWX), 500);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&thread[i], NULL, runner, NULL) == 0);
	for (int round = 0; round < ROUNDS; round++) {
		bool is_call = round % 2;
		put_byte(CODE_SITE, 0xcc);
		put_byte(CODE_SITE + 1, is_call ? 0x05 : 0x90);
		put_byte(CODE_SITE, is_call ? 0x0f : 0x66);
		CHECK_EQ(call_at(page, 0, 0, 0), is_call ? -ENOSYS : 500);
		for (long before = calls; before + round % 3 > calls;)
			sched_yield();
	}
	is_over = true;
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(thread[i], NULL) == 0);
	say("%d rounds", ROUNDS);
	return 0;
}
