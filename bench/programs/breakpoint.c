/* breakpoint.c - the loop's `syscall` becomes int3 and a nop, or ud2, and a handler of SIGTRAP or SIGILL answers */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "handler.h"

enum { SITE_SIZE = 2, PAGE = 4096 };

static void on_int3(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	handle_call(context);   /* rip is behind the int3 already */
}

static void on_ud2(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)signal, (void)info;
	handle_call(uc);
	uc->uc_mcontext.gregs[REG_RIP] += SITE_SIZE;
}

int breakpoint_arm(enum breakpoint kind)
{
	static const unsigned char bytes[][SITE_SIZE] = {
		[BREAKPOINT_INT3] = { 0xcc, 0x90 }, [BREAKPOINT_UD2] = { 0x0f, 0x0b },
	};
	struct sigaction action = { .sa_sigaction = kind == BREAKPOINT_INT3 ? on_int3 : on_ud2, .sa_flags = SA_SIGINFO };
	unsigned long page = (unsigned long)loop_site & -(unsigned long)PAGE;

	/* Two pages: the site may lie across. */
	if (sigaction(kind == BREAKPOINT_INT3 ? SIGTRAP : SIGILL, &action, NULL) != 0 ||
	    mprotect((void *)page, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
		return -errno;
	memcpy((void *)loop_site, bytes[kind], SITE_SIZE);
	if (mprotect((void *)page, 2 * PAGE, PROT_READ | PROT_EXEC) != 0)
		return -errno;
	return 0;
}
