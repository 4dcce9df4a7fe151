/* jump_step_rewrite - issue 5: a thread waits at each instruction in turn (TF) while another makes the first calls
 * there; then it goes on. At every other one the page is made writable and back, so that the bytes under the
 * waiting thread change once more */
#include "jump.h"

enum { SITES = CALLS };
CODE_PAGE_OF_CALLS(page, 102);
static volatile long step_at, waits;
static pthread_barrier_t barrier;

static void on_trap(int signo, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	(void)signo, (void)info;
	if (regs[REG_RIP] == step_at) {
		waits++;
		pthread_barrier_wait(&barrier); /* the other thread calls */
		pthread_barrier_wait(&barrier);
		step_at = 0;
	}
	if (!step_at && (regs[REG_RIP] < (long)page || regs[REG_RIP] >= (long)page + CODE_PAGE))
		regs[REG_EFL] &= ~0x100L;
}

static void *other(void *unused)
{
	for (int i = 0; i < SITES; i++) {
		pthread_barrier_wait(&barrier);
		for (int again = 0; again < 3; again++) {
			CHECK_EQ(mov_in(page, i, 0, 0, 0), getuid());
			CHECK_EQ(cave_in(page, i, 500, 0, 0, 0), -ENOSYS);
		}
		if (i % 2)
			protect(page, 1, PROT_RW), protect(page, 1, PROT_RX);
		pthread_barrier_wait(&barrier);
	}
	return unused;
}

/* long f(nr, code): call code(nr) with TF set. */
FUNCTION(stepped, "pushfq; orl $0x100,(%rsp); popfq; nop; call *%rdx; nop; ret");
extern long stepped(long nr, long unused, const void *code);

int main(void)
{
	/* Natively there is no step right behind a syscall. */
	static const int mov_steps[] = { 0, 5 }, cave_steps[] = { 0, 3, 9, 12, 15 };
	pthread_t thread;
	pthread_barrier_init(&barrier, NULL, 2);
	handle(SIGTRAP, on_trap, 0);
	CHECK(pthread_create(&thread, NULL, other, NULL) == 0);
	for (int i = 0; i < SITES; i++) {
		unsigned char *code = page + 64 * i;
		if (i % 2) {
			step_at = (long)code + mov_steps[i / 2 % 2];
			CHECK_EQ(stepped(0, 0, code), getuid());
		} else {
			step_at = (long)code + CAVE_AT + cave_steps[i / 2 % 5];
			CHECK_EQ(stepped(SYS_getgid, 0, code + CAVE_AT), getgid());
		}
	}
	pthread_join(thread, NULL);
	say("waited %ld times", waits);
	return 0;
}
