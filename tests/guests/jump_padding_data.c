/* jump_padding_data - issue 5, cave: bytes like padding behind a ret are a table that the function reads */
#include "jump.h"

FUNCTION(reads, "movl %edi,%eax; syscall; addq table(%rip),%rax; addq table+8(%rip),%rax; ret\n.p2align 4,0x90; ret\n"
	"table: .skip 15,0x90; .byte 0xcc");
FUNCTION(indexed, "movl %edi,%eax; syscall; leaq 1f(%rip),%rdx\n"
	"addq (%rdx,%rsi,8),%rax; ret\n1: .skip 21,0x90; .p2align 4");
extern call_function reads, indexed;

int main(void)
{
	for (int again = 0; again < 20; again++) {
		CHECK_EQ(reads(SYS_getuid, 0, 0), getuid() + 0x9090909090909090 + (long)0xcc90909090909090);
		CHECK_EQ(indexed(500, again % 2, 0), 0x9090909090909090 - ENOSYS);
	}
	say("the tables are intact");
	return 0;
}
