/* rz_neighbour - row 5: a leaf's local at -8(%rbp), its prologue out of sight; the site at its end was called before */
#include "guest.h"

/* long leaf(value, is_far): value, after getuid; at `out` getgid. Far off enough that no window shows two of the parts. */
asm(".text\n.p2align 8\n.skip 64,0x90\nret\n.p2align 4\n"
	"leaf: push %rbp\nmov %rsp,%rbp\ntest %esi,%esi\njne 1f\n"
	".rept 60\nmov %rdi,%rax\nadd $1,%rax\n.endr\n"
	"mov %rdi,-8(%rbp)\nmov $102,%eax\nsyscall\nmov -8(%rbp),%rdi\njmp 2f\n"
	"1: .rept 25\n.byte 0x66,0x2e,0x0f,0x1f,0x84,0,0,0,0,0\n.endr\n"
	"2: mov $104,%eax\nsyscall\nmov %rdi,%rax\npop %rbp\nret\n");
extern long leaf(long value, int is_far);

int main(void)
{
	CHECK_EQ(leaf(1, 1), 1);
	for (int again = 0; again < 3; again++)
		CHECK_EQ(leaf(0x1234, 0), 0x1234);
	say("local kept");
	return 0;
}
