/* jump_padding_executed - issue 5, cave: nops that run: behind a branch not taken, a call, a loop's entry, a
 * computed jump; bytes that other code jumps into; int3 that traps. Each is next to a site that would like to have
 * them */
#include "jump.h"

#define SITE "movl %edi,%eax; syscall\n"
#define PAD ".p2align 4\n"
#define SLIDE ".skip 16,0x90\n"
/* Nothing but the nops inside would do for a cave. */
#define TIGHT(name, ...) asm(".text; .balign 32,0xc3; .type " #name ",@function\n" #name ": .cfi_startproc\n" \
	__VA_ARGS__ "\n.cfi_endproc; .size " #name ",.-" #name "; .balign 32,0xc3"); extern call_function name
#define BARE(name, ...) asm(".text; .balign 32,0xc3\n" #name ": " __VA_ARGS__ "\n.balign 32,0xc3"); \
	extern call_function name
TIGHT(behind_branch, SITE "testl %esi,%esi; jz 1f\n" PAD "1: ret");
TIGHT(behind_call, "call 2f\n" PAD SITE "ret\n2: ret");
TIGHT(loop_entry, "movl $3,%esi\n" PAD "1: " SITE "decl %esi; jnz 1b; ret");
TIGHT(slide, "leaq 1f(%rip),%r8; addq %rsi,%r8; jmp *%r8\n1: " SLIDE PAD SITE "ret");
TIGHT(computed, "leaq 1f(%rip),%r8; jmp *%r8\n1: " PAD SITE "ret");
TIGHT(from_table, "leaq 2f(%rip),%r8; movslq (%r8,%rsi,4),%r9; addq %r8,%r9; jmp *%r9\n1: " PAD "3: " SITE "ret\n"
	"2: .long 1b-2b,3b-2b");
TIGHT(jumped_into, SITE "jmp 2f\n1: " PAD "3: ret\n2: testl %esi,%esi; jz 1b; jmp 3b");
TIGHT(jumped_middle, SITE "jmp 2f; .nops 3\n1: " PAD "3: ret\n2: testl %esi,%esi; jz 1b; jmp 3b");
TIGHT(other_site, SITE "ret; .nops 2\nother_nops: " PAD "incq %rax; ret");
TIGHT(other_user, "movl %esi,%eax; jmp other_nops");
TIGHT(stops, SITE "testl %esi,%esi; jnz 1f; ret\n1: .balign 16,0xcc; ret");
TIGHT(hot_site, SITE "ret; .balign 16,0xc3");
TIGHT(hot_entry, SLIDE "leaq 1(%rdi),%rax; ret");      /* -fpatchable-function-entry=16 */
BARE(bare_site, SITE "ret; .balign 16,0xc3\nbare_entry: " SLIDE "leaq 2(%rdi),%rax; ret");
BARE(bare_branch, SITE "testl %esi,%esi; jz 1f\n" PAD "1: ret");
BARE(bare_computed, "leaq 1f(%rip),%r8; jmp *%r8\n1: " PAD SITE "ret");
BARE(bare_call, "call 2f\n" PAD SITE "ret\n2: ret");
extern call_function bare_entry;
static volatile int traps;

static void on_trap(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info, (void)context;
	traps++;
}

int main(void)
{
	static call_function *const calls[] = { behind_branch, behind_call, loop_entry, computed, from_table, jumped_into,
		jumped_middle, other_site, hot_site, bare_site, bare_branch, bare_computed, bare_call };
	handle(SIGTRAP, on_trap, 0);
	for (int again = 0; again < 30; again++) {
		for (size_t i = 0; i < COUNT_OF(calls); i++) {
			CHECK_EQ(calls[i](500, 0, 0), -ENOSYS);
			CHECK_EQ(calls[i](SYS_getgid, 1, 0), getgid());
		}
		for (int i = 0; i < 16; i++)
			CHECK_EQ(slide(i % 2 ? 500 : SYS_getuid, i, 0), i % 2 ? -ENOSYS : (long)getuid());
		CHECK(stops(SYS_getgid, 0, 0) == getgid() && stops(500, 1, 0) == -ENOSYS);
		CHECK(other_user(0, 41, 0) == 42 && hot_entry(41, 0, 0) == 42 && bare_entry(40, 0, 0) == 42);
	}
	say("%d traps, all nops ran", traps);
	return 0;
}
