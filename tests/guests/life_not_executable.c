/* life_not_executable - rows 2, 9: a known site in memory that may not be executed any more: its call faults, and
 * is not made */
#include "life.h"

/* Straight to the site. */
static void run_from(unsigned char *site)
{
	long result;
	if (!sigsetjmp(fault_jump, 1)) {
		asm volatile("call *%1" : "=a"(result) : "r"(site), "0"((long)SYS_getpid) : "rcx", "r11", "memory");
		FAIL("answered %ld", result);
	}
	CHECK(fault.rip == (long)site && fault.address == site);
}

int main(void)
{
	static const int protections[] = { PROT_READ, PROT_NONE };
	handle(SIGSEGV, on_fault, 0);
	for (size_t i = 0; i < COUNT_OF(protections); i++) {
		unsigned char *page = new_sites(PROT_RX);
		protect(page, 1, protections[i]);
		for (int again = 0; again < 2; again++)
			for (int spot = 0; spot < SPOTS; spot++)
				run_from(after_spot(page, spot) - 2);
		say("signal %d code %d err %#lx", fault.signo, fault.code, fault.err);
		protect(page, 1, PROT_RX);
		run_sites(page);
	}
	return 0;
}
