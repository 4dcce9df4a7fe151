/* jit_rwx_traps - row 2: plain stores put instructions that trap where sites were: int3, ud2, and the undefined
 * `0f d0` */
#include "life.h"

static const struct { const char *name, *bytes; int signo, offset; } traps[] = {
	{ "int3", "\xcc\x90", SIGTRAP, 1 }, { "int3 first byte only", "\xcc\x05", SIGTRAP, 1 },
	{ "ud2", "\x0f\x0b", SIGILL, 0 }, { "0f d0", "\x0f\xd0", SIGILL, 0 }, { "hlt", "\xf4\x90", SIGSEGV, 0 },
};

static void run_trap(unsigned char *code, const unsigned char *site, int which)
{
	fault.signo = 0;
	if (!sigsetjmp(fault_jump, 1)) {
		call_at(code, 0, 0, 0);
		FAIL("%s: no signal", traps[which].name);
	}
	if (fault.signo != traps[which].signo || fault.rip != (long)site + traps[which].offset)
		FAIL("%s: signal %d at site%+ld", traps[which].name, fault.signo, fault.rip - (long)site);
}

int main(void)
{
	static const int signals[] = { SIGTRAP, SIGILL, SIGSEGV };
	unsigned char *page = new_sites(PROT_RWX);
	for (size_t i = 0; i < COUNT_OF(signals); i++)
		handle(signals[i], on_fault, 0);
	for (int which = 0; which < (int)COUNT_OF(traps); which++)
		for (int i = 0; i < SPOTS; i++) {
			unsigned char *after = after_spot(page, i);
			run_site(after, i % 2);
			memcpy(after - 4, "\x31\xc0", 2);   /* xor %eax,%eax; and the trap */
			memcpy(after - 2, traps[which].bytes, 2);
			run_trap(after - 4, after - 2, which);
			put_site(after, i % 2);
			run_site(after, i % 2);
		}
	say("%zu kinds", COUNT_OF(traps));
	return 0;
}
