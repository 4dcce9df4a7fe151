/* sig_faults - row 9: SIGSEGV, SIGFPE, SIGILL, SIGTRAP and SIGBUS handlers see what the kernel reports of real faults */
#include "fault.h"
#include "code.h"

int main(void)
{
	static const char *const names[] = { "read-only", "unmapped", "division", "ud2", "int3", "past the end", "hlt" };
	char *read_only = mmap(NULL, CODE_PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = memfd_create("empty", 0);
	char *past = mmap(NULL, CODE_PAGE, PROT_READ, MAP_SHARED, fd, 0);
	static const int signals[] = { SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGBUS };
	for (size_t i = 0; i < COUNT_OF(signals); i++)
		handle(signals[i], on_fault, i % 2 ? SA_ONSTACK : 0);
	for (int again = 0; again < 2; again++)
		for (int way = 0; way < 7; way++) {
			if (!sigsetjmp(fault_jump, 1)) {
				switch (way) {
				case 0: *(volatile char *)read_only = 1; break;
				case 1: *(volatile char *)0x7000000 = 1; break;
				case 2: asm volatile("divl %0" : : "r"(0), "a"(1), "d"(0)); break;
				case 3: asm volatile("ud2"); break;
				case 4: asm volatile("int3"); break;
				case 5: (void)*(volatile char *)past; break;
				case 6: asm volatile("hlt"); break;
				}
				FAIL("%s: no fault", names[way]);
			}
			say("%s: signal %d code %d err %#lx trap %ld", names[way], fault.signo, fault.code, fault.err, fault.trapno);
			CHECK(way != 0 || fault.address == read_only);
			CHECK(way != 5 || fault.address == past);
		}
	return 0;
}
