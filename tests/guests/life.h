/* life.h - pages of code that has been called, and other code that ends its calls at exactly the same addresses
 *
 * fill_sites() puts SPOTS sites into a page; run_sites() calls each twice, so that its second call is that of a known
 * one. fill_calls() puts indirect calls of the program's own there, each with the return address of the site that was
 * there before; run_calls() checks that those to nowhere fault as they should and that those to somewhere arrive.
 */
#ifndef GUEST_LIFE_H
#define GUEST_LIFE_H

#include "code.h"
#include "fault.h"

enum { SPOTS = 24, SPOT_SIZE = 64, SPOT_AFTER = 32 };

static inline unsigned char *after_spot(unsigned char *page, int spot)
{
	return page + SPOT_SIZE * spot + SPOT_AFTER;
}

/* The site that ends at `after`: `mov $getpid,%eax; syscall; ret`, or the number in edi. */
static void put_site(unsigned char *after, bool by_register)
{
	if (by_register)
		memcpy(after - 4, "\x89\xf8\x0f\x05\xc3", 5);
	else
		put_call(after - 7, SYS_getpid);
}

GUEST_UNUSED static void run_site(unsigned char *after, bool by_register)
{
	CHECK_EQ(call_at(after - (by_register ? 4 : 7), SYS_getpid, 0, 0), getpid());
}

GUEST_UNUSED static void *fill_sites(unsigned char *page)
{
	memset(page, 0xcc, CODE_PAGE);
	for (int i = 0; i < SPOTS; i++)
		put_site(after_spot(page, i), i % 2);
	return page;
}

GUEST_UNUSED static void run_sites(unsigned char *page)
{
	for (int again = 0; again < 2; again++)
		for (int i = 0; i < SPOTS; i++)
			run_site(after_spot(page, i), i % 2);
}

/* A new page of sites that have been called. */
GUEST_UNUSED static unsigned char *new_sites(int protection)
{
	unsigned char *page = fill_sites(map_pages(1, PROT_RW));
	protect(page, 1, protection);
	run_sites(page);
	return page;
}

/* A new mapping at an address that was in use before. */
GUEST_UNUSED static unsigned char *map_again(unsigned char *page)
{
	CHECK(mmap(page, CODE_PAGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page);
	return page;
}

/* What may end at `after`, with its length up to there. */
static const struct { int before; const char *bytes; } own_calls[] = {
	{ 4, "\x31\xc0\xff\xd0\xc3" },                                /* xor %eax,%eax; call *%rax; ret */
	{ 11, "\xb8\x27\x00\x00\x00\x45\x31\xc0\x41\xff\xd0\xc3" },   /* mov $39,%eax; xor %r8d,%r8d; call *%r8; ret */
	{ 5, "\x48\x89\xf8\xff\xd0\xc3" },                            /* mov %rdi,%rax; call *%rax; ret */
	{ 7, "\xb8\x27\x00\x00\x00\x90\x90\xc3" },                    /* mov $39,%eax; nop; nop; ret */
};
enum own_call { OWN_NULL, OWN_NULL_R8, OWN_BY_RDI, OWN_NOPS, OWN_CALLS };

GUEST_UNUSED static void put_own(unsigned char *after, enum own_call which)
{
	memcpy(after - own_calls[which].before, own_calls[which].bytes, own_calls[which].before + 1u);
}

GUEST_UNUSED static void *fill_calls(unsigned char *page)
{
	memset(page, 0xcc, CODE_PAGE);
	for (int i = 0; i < SPOTS; i++)
		put_own(after_spot(page, i), i / 2 % OWN_CALLS);
	return page;
}

/* Call `code` with `target` in rdi; it must end in a SIGSEGV at `rip` with what is said. */
static void expect_fault(unsigned char *code, unsigned long target, int si_code, unsigned long address,
	unsigned long rip)
{
	fault.signo = 0;
	if (!sigsetjmp(fault_jump, 1)) {
		long result = call_at(code, (long)target, 0, 0);
		FAIL("a call to %#lx answered %#lx; code at page+%#lx", target, result, (long)code % CODE_PAGE);
	}
	if (fault.signo != SIGSEGV || fault.code != si_code || (unsigned long)fault.address != address ||
	    (unsigned long)fault.rip != rip)
		FAIL("a call to %#lx: signal %d code %d address %p rip %#lx", target, fault.signo, fault.code, fault.address,
			fault.rip);
}

static long own_target(void)
{
	return 4711;
}

GUEST_UNUSED static void run_own(unsigned char *after, enum own_call which)
{
	static const unsigned long nowhere[] = { 0, 1, 39, 0x1ff, 0xfff, 0x7000, 0x123456789000 };
	unsigned char *code = after - own_calls[which].before;

	handle(SIGSEGV, on_fault, 0);
	if (which == OWN_NOPS)
		CHECK_EQ(call_at(code, 0, 0, 0), 39);
	if (which == OWN_NULL || which == OWN_NULL_R8) {
		expect_fault(code, 0, SEGV_MAPERR, 0, 0);
		CHECK_EQ(fault.slot, after);
	}
	if (which != OWN_BY_RDI)
		return;
	for (size_t i = 0; i < COUNT_OF(nowhere); i++) {
		expect_fault(code, nowhere[i], SEGV_MAPERR, nowhere[i], nowhere[i]);
		CHECK_EQ(fault.slot, after);
		CHECK_EQ(fault.err, 0x14);
	}
	expect_fault(code, 1UL << 63, SI_KERNEL, 0, (unsigned long)after - 2);
	CHECK_EQ(call_at(code, (long)(uintptr_t)own_target, 0, 0), 4711);
}

GUEST_UNUSED static void run_calls(unsigned char *page)
{
	for (int again = 0; again < 2; again++)
		for (int i = 0; i < SPOTS; i++)
			run_own(after_spot(page, i), i / 2 % OWN_CALLS);
}

/* Other code in a page that may be written now, then run. */
GUEST_UNUSED static void replace(unsigned char *page)
{
	protect(page, 1, PROT_RW);
	fill_calls(page);
	protect(page, 1, PROT_RX);
	run_calls(page);
}

#endif
