/* rz_far - row 5: leaf functions, known to the unwind table, that use the red zone hundreds of bytes away from their call */
#include "guest.h"

#define WORK(times) ".rept " #times "\nmov %rdi,%rax\nadd $1,%rax\nmov %rax,%rcx\nimul $3,%rcx,%rcx\n.endr\n"
#define CALL "mov $102,%eax\nsyscall\n"
/* Each returns its argument, kept under rsp while getuid is called. */
asm(".text\n.p2align 4\n"
	/* the address is taken long before, and used long after */
	"by_address: .cfi_startproc\nmov %rdi,-8(%rsp)\nlea -8(%rsp),%r9\n" WORK(40) CALL WORK(60) "mov (%r9),%rax\nret\n.cfi_endproc\n"
	/* a block behind the call, which goes back to before it, takes the address */
	"from_behind: .cfi_startproc\ntest %rdi,%rdi\njne 2f\n1: " CALL WORK(4) "mov (%r9),%rax\nret\n" WORK(60)
	"2: mov %rdi,-8(%rsp)\nlea -8(%rsp),%r9\njmp 1b\n.cfi_endproc\n"
	/* a local, by a frame pointer whose frame is not allocated */
	"by_frame: .cfi_startproc\npush %rbp\n.cfi_def_cfa_offset 16\nmov %rsp,%rbp\n.cfi_def_cfa_register rbp\nmov %rdi,-8(%rbp)\n"
	WORK(40) CALL WORK(60) "mov -8(%rbp),%rax\npop %rbp\n.cfi_def_cfa rsp, 8\nret\n.cfi_endproc\n");
extern long by_address(long value), from_behind(long value), by_frame(long value);

int main(void)
{
	for (long again = 0; again < 3; again++) {
		CHECK_EQ(by_address(0x1234 + again), 0x1234 + again);
		CHECK_EQ(from_behind(0x5678 + again), 0x5678 + again);
		CHECK_EQ(by_frame(0x9abc + again), 0x9abc + again);
	}
	say("red zone kept");
	return 0;
}
