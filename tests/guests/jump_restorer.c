/* jump_restorer - issue 5, row 21: restorers of the program's own, by mov, by cave, and by a site that makes other
 * calls, too; the first keep their bytes */
#include "jump.h"

struct kernel_action { void (*handler)(int); unsigned long flags; void (*restorer)(void); uint64_t mask; };
FUNCTION(mov_restorer, "movl $15,%eax; syscall");
FUNCTION(long_restorer, "movq $15,%rax; syscall");
FUNCTION(cave_restorer, "movl $5,%eax; leal 10(%rax),%eax; syscall; ud2; .p2align 5");
FUNCTION(shared, "movl %edi,%eax; .globl shared_site; shared_site: syscall; ret");
FUNCTION(shared_restorer, "movl $15,%eax; jmp shared_site");
extern void mov_restorer(void), long_restorer(void), cave_restorer(void), shared_restorer(void);
extern long shared(long nr);
static volatile int signals;

static void on_signal(int signo)
{
	signals += signo == SIGUSR1;
}

int main(void)
{
	static void (*const restorers[])(void) = { mov_restorer, long_restorer, cave_restorer, shared_restorer };
	for (int round = 0; round < 200; round++) {
		struct kernel_action action = { on_signal, 0x04000000, restorers[round % 4], 0 };
		CHECK(syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, 8) == 0);
		CHECK(shared(SYS_getuid) == getuid() && shared(500) == -ENOSYS);
		raise(SIGUSR1);
		CHECK_EQ(signals, round + 1);
	}
	CHECK(memcmp((void *)(uintptr_t)mov_restorer, "\xb8\x0f\x00\x00\x00\x0f\x05", 7) == 0);
	CHECK(memcmp((void *)(uintptr_t)long_restorer, "\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05", 9) == 0);
	say("%d signals", signals);
	return 0;
}
