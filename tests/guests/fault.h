/* fault.h - a SIGSEGV handler that tells what it was shown, and jumps out */
#ifndef GUEST_FAULT_H
#define GUEST_FAULT_H

#include "guest.h"

static sigjmp_buf fault_jump;
static volatile struct { int signo, code; void *address; long rip, rsp, err, trapno, slot; } fault;

GUEST_UNUSED static void on_fault(int signo, siginfo_t *info, void *context)
{
	fault.signo = signo;
	fault.code = info->si_code;
	fault.address = info->si_addr;
	fault.rip = reg(context, REG_RIP);
	fault.rsp = reg(context, REG_RSP);
	fault.err = reg(context, REG_ERR);
	fault.trapno = reg(context, REG_TRAPNO);
	if (fault.rsp > 0x100000)
		fault.slot = *(long *)fault.rsp;
	siglongjmp(fault_jump, 1);
}

/* rip is printed relative to `base` when it is a code address. */
GUEST_UNUSED static void say_fault(const char *name, const void *base)
{
	long rip = base ? fault.rip - (long)base : fault.rip;
	say("%s: signal %d code %d address %p err %#lx trap %ld rip %s%#lx", name, fault.signo, fault.code,
		fault.address, fault.err, fault.trapno, base ? "base+" : "", rip);
}

#endif
