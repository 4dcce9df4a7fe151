/* sig_fault_at_rax - rows 4, 9: code that was called by `call *%rax` faults in its first instruction, at the
 * address in rax */
#include "life.h"

int main(void)
{
	unsigned char *page = mmap(NULL, CODE_PAGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	CHECK(page != MAP_FAILED);
	unsigned char *function = page + 0x200, *nowhere = map_pages(1, PROT_NONE);
	uint32_t address = (uint32_t)(uintptr_t)function;
	memcpy(page, "\xb8....\xff\xd0\xc3", 8);       /* mov $function,%eax; call *%rax; ret */
	memcpy(page + 1, &address, 4);
	memcpy(function, "\x8b\x07\xc3", 3);            /* mov (%rdi),%eax; ret */
	handle(SIGSEGV, on_fault, 0);
	for (int way = 0; way < 2; way++) {
		protect(page, 1, way ? PROT_RX : PROT_RWX);
		for (int again = 0; again < 3; again++) {
			expect_fault(page, (uintptr_t)nowhere, SEGV_ACCERR, (uintptr_t)nowhere, (uintptr_t)function);
			CHECK_EQ(fault.slot, page + 7);
			CHECK_EQ(fault.err, 4);
			CHECK_EQ(call_at(page, (long)(page + 0x200), 0, 0), 0x00c3078b);
		}
	}
	say("the fault's own address");
	return 0;
}
