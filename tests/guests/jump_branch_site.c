/* jump_branch_site - issue 5, mov: branches straight to the syscall, past its mov, with another number; and to the
 * mov */
#include "jump.h"

FUNCTION(past, "movl %edi,%eax; testl %esi,%esi; jne past_site; movl $102,%eax\npast_site: syscall; ret");
FUNCTION(from_elsewhere, "movl %edi,%eax; jmp past_site");
FUNCTION(indirectly, "movl %edi,%eax; leaq past_site(%rip),%rdx; jmp *%rdx");
FUNCTION(edge_to_site, "movl %edi,%r8d; xorl %r9d,%r9d; movl $102,%eax\n1: syscall; subq %rax,%r9; movl $500,%eax\n"
	"decl %r8d; jnz 1b; movq %r9,%rax; ret");
FUNCTION(edge_to_mov, "movl %edi,%r8d; xorl %r9d,%r9d\n1: movl $500,%eax; syscall; subq %rax,%r9; decl %r8d; jnz 1b\n"
	"movq %r9,%rax; ret");
FUNCTION(two_ways, "movl %edi,%r8d; jmp 2f\n1: movl $102,%eax\n3: syscall; ret\n2: testl %r8d,%r8d; jz 1b\n"
	"movl %r8d,%eax; jmp 3b");
extern call_function past, from_elsewhere, indirectly, edge_to_site, edge_to_mov, two_ways;

int main(void)
{
	for (int i = 0; i < 1000; i++) {
		CHECK_EQ(past(500, 0, 0), getuid());
		CHECK_EQ(past(500, 1, 0), -ENOSYS);
		CHECK_EQ(past(SYS_getgid, 1, 0), getgid());
		CHECK_EQ(from_elsewhere(i % 2 ? 500 : SYS_getgid, 0, 0), i % 2 ? -ENOSYS : (long)getgid());
		CHECK_EQ(indirectly(i % 2 ? SYS_getgid : 500, 0, 0), i % 2 ? (long)getgid() : -ENOSYS);
		CHECK_EQ(edge_to_site(1 + i % 5, 0, 0), i % 5 * (long)ENOSYS - (long)getuid());
		CHECK_EQ(edge_to_mov(1 + i % 5, 0, 0), (1 + i % 5) * (long)ENOSYS);
		CHECK_EQ(two_ways(0, 0, 0), getuid());
		CHECK_EQ(two_ways(500, 0, 0), -ENOSYS);
	}
	say("the number is that of the way taken");
	return 0;
}
