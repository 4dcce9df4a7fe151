/* sud_registers - row 18: what a dispatched call shows to the handler: number, arguments, rcx and r11 as after a
 * syscall, flags; nothing is changed but what the handler changes; any number, with high bits too */
#include "dispatch.h"

static volatile char selector;
static long seen[23];
static siginfo_t info_seen;

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	selector = ALLOW;
	(void)signal;
	info_seen = *info;
	for (int i = 0; i < 23; i++)
		seen[i] = reg(context, i);
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RDI] = 99;
}

__attribute__((noinline)) static void expect(long number)
{
	long rax, rcx, r11, rdi = 1, rsp, after;
	register long r10 asm("r10") = 4, r8 asm("r8") = 5, r9 asm("r9") = 6, r12 asm("r12") = 12, r15 asm("r15") = 15;
	selector = BLOCK;
	asm volatile("mov %%rsp,%[rsp]; lea 1f(%%rip),%[after]; stc; syscall; 1:"
		     : "=a"(rax), "=&c"(rcx), "+D"(rdi), [rsp] "=&b"(rsp), [after] "=&r"(after), "+r"(r12), "+r"(r15)
		     : "0"(number), "S"(2L), "d"(3L), "r"(r10), "r"(r8), "r"(r9) : "r11", "memory", "cc");
	asm volatile("mov %%r11,%0" : "=r"(r11));
	CHECK(seen[REG_RDI] == 1 && seen[REG_RSI] == 2 && seen[REG_RDX] == 3 && seen[REG_R10] == 4);
	CHECK(seen[REG_R8] == 5 && seen[REG_R9] == 6 && seen[REG_R12] == 12 && seen[REG_R15] == 15);
	CHECK(r12 == 12 && r15 == 15 && rdi == 99);
	CHECK_EQ(seen[REG_RAX], number);
	CHECK_EQ(rax, number);
	CHECK_EQ(seen[REG_RIP], after);
	CHECK_EQ(seen[REG_RCX], after);
	CHECK_EQ(rcx, after);
	CHECK_EQ(seen[REG_RSP], rsp);
	CHECK_EQ(seen[REG_R11] & 0xffff, seen[REG_EFL] & 0xffff);
	CHECK(seen[REG_EFL] & 1);
	CHECK_EQ(info_seen.si_call_addr, after);
	CHECK_EQ(info_seen.si_syscall, (int)number);
	CHECK(info_seen.si_code == 2 && info_seen.si_errno == 0 && info_seen.si_arch == 0xc000003e);
}

int main(void)
{
	static const long numbers[] = { SYS_getpid, SYS_exit_group, SYS_clone, SYS_rt_sigreturn, SYS_execve, 511, 512, 4095,
		4096, 99999, -1, (long)0xdeadbeef00000027, 0x100000000, INT_MIN, 0x40000027 };
	need_dispatch();
	handle(SIGSYS, on_sigsys, 0);
	CHECK_EQ(dispatch(DISPATCH_EXCLUSIVE, 0, 0, &selector), 0);
	for (int again = 0; again < 3; again++)
		for (size_t i = 0; i < COUNT_OF(numbers); i++)
			expect(numbers[i]);
	say("as the kernel rolls them back");
	return 0;
}
