/* jit_cross_split - rows 1, 6: a syscall that lies in two words, or lines, or pages, with its number by mov before it, is
 * changed behind an int3, with a barrier after each step, to itself or to a nop, while other threads call it */
#include "code.h"
#include <linux/membarrier.h>

enum { THREADS = 3, ROUNDS = 10000 };

static unsigned char *code, *op;
static _Atomic bool is_over;

static void on_trap(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP]--;
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)info;
	FAIL("signal %d, %lld from the op, bytes %02x %02x", signal, (long long)(reg(context, REG_RIP) - (long)op), op[0],
	     op[1]);
}

static void *body(void *unused)
{
	while (!is_over) {
		long result = call_at(op - 5, 0, 0, 0);
		CHECK(result == -ENOSYS || result == 1000);
	}
	return unused;
}

static void put(unsigned char *at, unsigned char byte)
{
	__atomic_store_n(at, byte, __ATOMIC_SEQ_CST);
	CHECK(raw3(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0) == 0);
}

static void change_at(unsigned offset)
{
	pthread_t threads[THREADS];
	op = code + offset;
	put_call(op - 5, 1000);
	is_over = false;
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, body, NULL) == 0);
	for (int round = 0; round < ROUNDS; round++) {
		put(op, 0xcc);
		put(op + 1, round % 4 ? 0x05 : 0x90);
		put(op, round % 4 ? 0x0f : 0x66);
		for (int moments = round % 300; moments > 0; moments--)
			__builtin_ia32_pause();
	}
	is_over = true;
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

int main(void)
{
	if (raw3(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0) != 0)
		return say("skip: no barrier"), 77;
	handle(SIGTRAP, on_trap, SA_NODEFER);
	handle(SIGSEGV, on_fault, 0);
	handle(SIGILL, on_fault, 0);
	code = map_pages(2, PROT_RWX);
	change_at(71);
	change_at(127);
	change_at(CODE_PAGE - 1);
	say("%d changes each", ROUNDS);
	return 0;
}
