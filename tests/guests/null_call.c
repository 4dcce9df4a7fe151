/* null_call - row 9: `call *%rax` with rax NULL or small, where no system call was, faults there, the return address on the stack */
#include "fault.h"

extern char after_call[];

__attribute__((noinline)) static void call_address(long address)
{
	asm volatile(".globl after_call\n\tcall *%%rax; after_call: nop" : "+a"(address)
		: : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory");
}

int main(void)
{
	handle(SIGSEGV, on_fault, 0);
	static const long addresses[] = { 0, 0x10, 0x27, 0x66, 0x123, 0x1ff, 0x200, 0xffe, 0xfff, 0x1000, 0x1500 };
	for (int again = 0; again < 3; again++)
		for (size_t i = 0; i < COUNT_OF(addresses); i++) {
			if (!sigsetjmp(fault_jump, 1)) {
				call_address(addresses[i]);
				FAIL("%#lx was called", addresses[i]);
			}
			CHECK_EQ(fault.slot, after_call);
			say_fault("call", NULL);
		}
	return 0;
}
