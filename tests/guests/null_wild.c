/* null_wild - rows 4 and 9: calls of the program through bad pointers elsewhere fault as natively */
#include "fault.h"
#include "code.h"

extern char call_site[];

__attribute__((noinline)) static void call_address(uint64_t address)
{
	asm volatile(".globl call_site\ncall_site: call *%%rax" : : "a"(address) : "rcx", "rdx", "memory");
}

int main(void)
{
	handle(SIGSEGV, on_fault, 0);
	unsigned char *data = mmap((void *)0x50000000, CODE_PAGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(data == (void *)0x50000000);
	static const uint64_t addresses[] = { 0x50000000, 0x50001000, 0x51000027, 0xdeadbeef00000027, 0x800000000000,
		0xffffffffff601000, 0xffffffff81000000, 0xffffffffffffffff };
	for (int again = 0; again < 2; again++)
		for (size_t i = 0; i < COUNT_OF(addresses); i++) {
			if (!sigsetjmp(fault_jump, 1)) {
				call_address(addresses[i]);
				FAIL("%#lx was called", addresses[i]);
			}
			bool at_call = fault.rip == (long)call_site;
			if (!at_call)
				CHECK_EQ(fault.slot, call_site + 2);
			say_fault(at_call ? "at the call" : "at the target", at_call ? call_site : NULL);
		}
	return 0;
}
