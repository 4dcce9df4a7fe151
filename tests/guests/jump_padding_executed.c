/* jump_padding_executed - issue 5, cave: nops that run: behind a branch not taken, a call, a loop's entry, a computed jump;
 * bytes that other code jumps into; int3 that traps. Each is next to a site that would like to have them */
#include "jump.h"

#define NOPS(n) ".skip " #n ",0x90\n"
#define SITE "movl %edi,%eax; syscall\n"
FUNCTION(behind_branch, SITE "testl %esi,%esi; jz 1f\n" NOPS(9) ".p2align 4\n1: ret");
FUNCTION(behind_call, "call 2f\n" NOPS(9) ".p2align 4; " SITE "ret\n2: ret");
FUNCTION(loop_entry, "movl $3,%esi\n" NOPS(9) ".p2align 4\n1: " SITE "decl %esi; jnz 1b; ret");
FUNCTION(computed, "leaq 1f(%rip),%r8; addq %rsi,%r8; jmp *%r8\n1: " NOPS(16) ".p2align 4; " SITE "ret");
FUNCTION(jumped_into, SITE "jmp 2f\n1: " NOPS(10) ".p2align 4\n3: ret\n2: testl %esi,%esi; jz 1b; jmp 3b");
FUNCTION(jumped_middle, SITE "jmp 2f\n" NOPS(3) "1: " NOPS(10) ".p2align 4; 3: ret\n2: testl %esi,%esi; jz 1b; jmp 3b");
FUNCTION(other_site, SITE "ret\n.globl other_nops; " NOPS(2) "other_nops: " NOPS(12) ".p2align 4; incq %rax; ret");
FUNCTION(other_user, "movl %esi,%eax; jmp other_nops");
FUNCTION(stops, SITE "testl %esi,%esi; jnz 1f; ret\n1: .skip 8,0xcc; .p2align 4; ret");
FUNCTION(hot_site, SITE "ret; .p2align 4");
FUNCTION(hot_entry, NOPS(16) "leaq 1(%rdi),%rax; ret");                  /* -fpatchable-function-entry=16 */
asm(".text; .p2align 5; bare_site: " SITE "ret; .p2align 4,0xcc\nbare_entry: " NOPS(16) "leaq 2(%rdi),%rax; ret; .p2align 4");
asm(".text; .p2align 5; bare_late: " SITE "ret\nodd_entry: " NOPS(10) "leaq 3(%rdi),%rax; ret; .p2align 4");
extern call_function behind_branch, behind_call, loop_entry, computed, jumped_into, jumped_middle, other_site, other_user,
	stops, hot_site, hot_entry, bare_site, bare_entry, bare_late, odd_entry;
static volatile int traps;

static void on_trap(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info, (void)context;
	traps++;
}

int main(void)
{
	static call_function *const calls[] = { behind_branch, behind_call, loop_entry, jumped_into, jumped_middle, other_site,
		hot_site, bare_site, bare_late };
	handle(SIGTRAP, on_trap, 0);
	for (int again = 0; again < 30; again++) {
		for (size_t i = 0; i < COUNT_OF(calls); i++) {
			CHECK_EQ(calls[i](500, 0, 0), -ENOSYS);
			CHECK_EQ(calls[i](SYS_getgid, 1, 0), getgid());
		}
		for (int i = 0; i < 16; i++)
			CHECK_EQ(computed(i % 2 ? 500 : SYS_getuid, i, 0), i % 2 ? -ENOSYS : (long)getuid());
		CHECK(stops(SYS_getgid, 0, 0) == getgid() && stops(500, 1, 0) == -ENOSYS);
		CHECK(other_user(0, 41, 0) == 42 && hot_entry(41, 0, 0) == 42 && bare_entry(40, 0, 0) == 42);
		CHECK(odd_entry(39, 0, 0) == 42);
	}
	say("%d traps, all nops ran", traps);
	return 0;
}
