/* rz_pool - row 5: a leaf takes the address of its red zone right behind a pool of constants, long before the site */
#include "guest.h"

#define WORK ".rept 3\nmov %rdi,%rax\nadd $1,%rax\nmov %rax,%rcx\nimul $3,%rcx,%rcx\nmov %rcx,%rdx\nadd %rax,%rdx\n.endr\n"
#define REST "mov $102,%eax\nsyscall\nmov (%r9),%rax\nret\n"
/* In front of the function; and inside it, between the use of the red zone and the site. */
asm(".text\n.p2align 8\n.skip 64,0x90\nret\n.quad 0x0606060606060606,0x0606060606060606\n.p2align 4,0x90\n"
	"before: mov %rdi,-8(%rsp)\nlea -8(%rsp),%r9\n" WORK REST
	".p2align 8\n.skip 64,0x90\nret\n.p2align 4,0x90\n"
	"inside: mov %rdi,-8(%rsp)\nlea -8(%rsp),%r9\njmp 1f\n.quad 0x0606060606060606,0x0606060606060606\n1: " WORK REST);
extern long before(long value), inside(long value);

int main(void)
{
	for (int again = 0; again < 3; again++) {
		CHECK_EQ(before(0x1234), 0x1234);
		CHECK_EQ(inside(0x5678), 0x5678);
	}
	say("red zone kept");
	return 0;
}
