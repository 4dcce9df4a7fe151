/* unwind - a call three functions deep, for tests/test_unwind.py to step through; by itself: its calls work
 *
 * The call is a `syscall` with little around it, one behind a mov of its number, or one that has padding in reach; or,
 * when gdb says so, an `int $0x80`. With an argument: waits in read() for two lines of input. */
#include "guest.h"

extern const char unwind_site[];
static volatile long number = SYS_getppid;
extern long deepest_mov_39(void), deepest_mov_500(void), deepest_cave(const volatile long *number),
	deepest_i386(void);

/* Each keeps a callee-saved register, which an unwinder has to find, and gives it back in the result. */
#define DEEPEST(name, load, call) \
	".p2align 4\n.globl deepest_" name ", unwind_" name ", unwind_" name "_after\n.type deepest_" name ", @function\n" \
	"deepest_" name ": .cfi_startproc\n" \
	"	pushq %rbx\n	.cfi_adjust_cfa_offset 8\n	.cfi_offset rbx, -16\n	movl $0x1234, %ebx\n" \
	load "	" call "\nunwind_" name "_after: leaq -0x1234(%rax,%rbx), %rax\n" \
	"	popq %rbx\n	.cfi_adjust_cfa_offset -8\n	ret\n	.cfi_endproc\n	.size deepest_" name ", .-deepest_" name "\n"

asm(DEEPEST("mov_39", "unwind_mov_39: movl $39, %eax\n", "syscall")
    DEEPEST("mov_500", "unwind_mov_500: movl $500, %eax\n", "syscall")
    DEEPEST("cave", "	movq (%rdi), %rax\nunwind_cave:\n", "syscall") ".p2align 4\nnop\n"
    DEEPEST("i386", "	movl $20, %eax\nunwind_i386:\n", "int $0x80"));

__attribute__((noinline)) static long deepest(void)
{
	register long rbx asm("rbx") = 0x1234;
	long result;
	asm volatile(".globl unwind_site, unwind_site_after\nunwind_site: syscall\nunwind_site_after:" : "=a"(result), "+r"(rbx)
		: "0"(number) : "rcx", "r11", "memory");
	return result + rbx - 0x1234;
}

static volatile enum { BARE, MOV_39, MOV_500, CAVE, FORMS, I386 = FORMS } form;

__attribute__((noinline)) static long middle(void)
{
	long result = form == BARE ? deepest() : form == MOV_39 ? deepest_mov_39() : form == MOV_500 ? deepest_mov_500()
		: form == CAVE ? deepest_cave(&number) : deepest_i386();
	asm volatile("" : "+r"(result));
	return result;
}

__attribute__((noinline)) static int wait_for_input(void)
{
	char line[16];
	int lines = 0;

	while (lines < 2 && read(0, line, sizeof(line)) > 0)
		lines++;
	return lines;
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return wait_for_input() != 2;
	for (int i = 0; i < 4; i++)
		middle();
	for (form = BARE; form < FORMS; form++)
		CHECK_EQ(middle(), form == MOV_39 ? getpid() : form == MOV_500 ? -ENOSYS : getppid());
	say("came back");
	return 0;
}
