/* int80_registers - rows 10 and 22: `int $0x80` keeps every register but rax, rcx, r11 and the flags included */
#include "guest.h"

uint64_t in[16], out[16];

asm(".text\ncall_int80:\n"
"	pushq %rbx; pushq %rbp; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n"
"	movq 8+in(%rip),%rbx; movq 16+in(%rip),%rcx; movq 24+in(%rip),%rdx; movq 32+in(%rip),%rsi\n"
"	movq 40+in(%rip),%rdi; movq 48+in(%rip),%rbp; movq 96+in(%rip),%r12; movq 104+in(%rip),%r13\n"
"	movq 112+in(%rip),%r14; movq 120+in(%rip),%r15\n"
"	movl $199,%eax; stc; int $0x80; jnc 1f\n"
"	movq %rax,out(%rip)\n"
"1:	movq %rbx,8+out(%rip); movq %rcx,16+out(%rip); movq %rdx,24+out(%rip); movq %rsi,32+out(%rip)\n"
"	movq %rdi,40+out(%rip); movq %rbp,48+out(%rip); movq %r12,96+out(%rip); movq %r13,104+out(%rip)\n"
"	movq %r14,112+out(%rip); movq %r15,120+out(%rip)\n"
"	popq %r15; popq %r14; popq %r13; popq %r12; popq %rbp; popq %rbx; ret\n");
extern void call_int80(void);

int main(void)
{
	static const int kept[] = { 1, 2, 3, 4, 5, 6, 12, 13, 14, 15 };
	for (int again = 0; again < 20; again++) {
		for (int i = 0; i < 16; i++)
			in[i] = 0x1111111100000000UL * (uint64_t)(i + 1) + (uint64_t)(again + i);
		out[0] = ~0UL;
		call_int80();
		if (out[0] == (uint64_t)-ENOSYS)
			SKIP("no 32-bit calls in this kernel");
		CHECK_EQ(out[0], getuid());
		for (size_t i = 0; i < COUNT_OF(kept); i++)
			CHECK_EQ(out[kept[i]], in[kept[i]]);
	}
	say("kept");
	return 0;
}
