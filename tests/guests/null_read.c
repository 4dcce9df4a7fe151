/* null_read - row 9: reading through NULL and near it faults as natively, si_code SEGV_MAPERR */
#include "fault.h"

__attribute__((noinline)) static void read_at(long address)
{
	long value;
	asm volatile("read_site: .globl read_site\n\tmovb (%1),%b0" : "=q"(value) : "r"(address));
}
extern char read_site[];

int main(void)
{
	handle(SIGSEGV, on_fault, 0);
	static const long addresses[] = { 0, 1, 0x10, 0x123, 4095 };
	for (int again = 0; again < 3; again++)
		for (size_t i = 0; i < COUNT_OF(addresses); i++) {
			if (!sigsetjmp(fault_jump, 1)) {
				read_at(addresses[i]);
				FAIL("%#lx was read", addresses[i]);
			}
			CHECK(fault.code == SEGV_MAPERR && fault.address == (void *)addresses[i]);
			say_fault("read", read_site);
		}
	return 0;
}
