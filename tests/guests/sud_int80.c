/* sud_int80 - row 18: int $0x80 is dispatched like syscall: si_arch says so, rcx and r11 stay */
#include "dispatch.h"

enum { ARCH_I386 = 0x40000003, GETUID32 = 199 };
static volatile char selector;
static volatile int handled;

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	(void)signal;
	selector = ALLOW;
	CHECK_EQ(info->si_arch, ARCH_I386);
	CHECK_EQ(info->si_syscall, GETUID32);
	CHECK_EQ(regs[REG_RIP], info->si_call_addr);
	CHECK_EQ(regs[REG_RAX], GETUID32);
	CHECK_EQ(regs[REG_RCX], 0x1234567890);
	CHECK_EQ(regs[REG_R11], 0x1111111111);
	regs[REG_RAX] = 5000 + handled++;
}

static long call32(void)
{
	long result;
	asm volatile("movabs $0x1111111111,%%r11; int $0x80" : "=a"(result) : "0"(GETUID32 | 5L << 32), "b"(0),
		"c"(0x1234567890) : "r8", "r9", "r10", "r11", "memory");
	return result;
}

int main(void)
{
	need_dispatch();
	if (call32() == -ENOSYS)
		SKIP("no 32-bit calls in this kernel");
	handle(SIGSYS, on_sigsys, 0);
	CHECK_EQ(dispatch(DISPATCH_EXCLUSIVE, 0, 0, &selector), 0);
	for (int i = 0; i < 10; i++) {
		CHECK_EQ(call32(), getuid());
		selector = BLOCK;
		CHECK_EQ(call32(), 5000 + i);
	}
	say("%d dispatched", handled);
	return 0;
}
