/* null_write - row 9: writing through NULL and near it faults as natively, si_code SEGV_MAPERR */
#include "fault.h"

__attribute__((noinline)) static void write_at(long address)
{
	asm volatile("write_site: .globl write_site\n\tmovb $1,(%0)" : : "r"(address) : "memory");
}
extern char write_site[];

int main(void)
{
	handle(SIGSEGV, on_fault, 0);
	static const long addresses[] = { 0, 1, 0x10, 0x123, 4095 };
	for (int again = 0; again < 3; again++)
		for (size_t i = 0; i < COUNT_OF(addresses); i++) {
			if (!sigsetjmp(fault_jump, 1)) {
				write_at(addresses[i]);
				FAIL("%#lx was written", addresses[i]);
			}
			CHECK(fault.code == SEGV_MAPERR && fault.address == (void *)addresses[i]);
			say_fault("write", write_site);
		}
	return 0;
}
