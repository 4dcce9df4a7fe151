/* dispatch.h - Syscall User Dispatch, for guests that use it themselves
 *
 * allowed_call(nr, a, ... f) and a signal restorer lie between allowed and allowed_end: a range to let through.
 */
#ifndef GUEST_DISPATCH_H
#define GUEST_DISPATCH_H

#include "guest.h"
#include <sys/prctl.h>

enum { DISPATCH_OFF, DISPATCH_EXCLUSIVE, DISPATCH_INCLUSIVE, DISPATCH_OPTION = 59 };
enum { ALLOW, BLOCK };

asm(".pushsection .text.allowed, \"ax\", @progbits\n"
    ".globl allowed, allowed_end, allowed_call, allowed_restorer\n"
    "allowed: nop\n"
    "allowed_call: mov %rdi,%rax; mov %rsi,%rdi; mov %rdx,%rsi; mov %rcx,%rdx; mov %r8,%r10; mov %r9,%r8\n"
    "mov 8(%rsp),%r9; syscall; ret\n"
    ".p2align 4; nop; allowed_restorer: mov $15,%rax; syscall; nop\n"
    "allowed_end:\n"
    ".popsection\n");
extern char allowed[], allowed_end[], allowed_restorer[];
long allowed_call(long nr, long a, long b, long c, long d, long e, long f);

/* prctl(), without errno. */
__attribute__((noinline)) GUEST_UNUSED static long dispatch(long mode, long offset, long length,
							    const volatile void *selector)
{
	return raw6(SYS_prctl, DISPATCH_OPTION, mode, offset, length, (long)selector, 0);
}

GUEST_UNUSED static long dispatch_outside_allowed(const volatile void *selector)
{
	return dispatch(DISPATCH_EXCLUSIVE, (long)allowed, allowed_end - allowed, selector);
}

/* Like handle(), but that the handler returns by allowed_restorer. */
GUEST_UNUSED static void handle_allowed(int signal, void (*handler)(int, siginfo_t *, void *), long flags)
{
	struct { void (*handler)(int, siginfo_t *, void *); long flags; char *restorer; long mask; } action = {
		handler, SA_SIGINFO | 0x04000000 /* SA_RESTORER */ | flags, allowed_restorer, 0 };
	CHECK(syscall(SYS_rt_sigaction, signal, &action, NULL, 8) == 0);
}

/* How a child ends in which `work` has returned (0x100), or has not. */
GUEST_UNUSED static int in_child(void (*work)(void))
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		work();
		_exit(0);
	}
	return wait_child(pid);
}

GUEST_UNUSED static void need_dispatch(void)
{
	if (dispatch(DISPATCH_OFF, 0, 0, NULL) != 0)
		SKIP("no Syscall User Dispatch in this kernel");
}

#endif
