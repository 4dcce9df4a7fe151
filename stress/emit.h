/* emit.h - functions with one system call, laid around the site's place, and memory to run them in
 *
 * All have the type emitted_function; the fourth argument, in rcx, is the number where the code does not hold it.
 */
#ifndef EMIT_H
#define EMIT_H

#include "../tests/guests/code.h"
#include "shadow.h"
#include <sys/uio.h>

typedef long emitted_function(long a, long b, long c, long number);

enum form {
	FIXED,          /* mov $number,%eax; syscall; ret */
	BY_CX,          /* mov %ecx,%eax;    syscall; ret */
	BY_DI,          /* mov %edi,%eax;    syscall; ret */
	FORMS
};

enum { BEFORE_SITE = 5, AFTER_SITE = 3 };   /* bytes of a function, at most */

/* From the function's start to the site. */
static inline unsigned emit_lead(enum form form)
{
	return form == FIXED ? 5 : 2;
}

static inline void emit_at(unsigned char *site, enum form form, int number)
{
	if (form == FIXED) {
		site[-5] = 0xb8;
		memcpy(site - 4, &number, 4);
	} else {
		memcpy(site - 2, form == BY_CX ? "\x89\xc8" : "\x89\xf8", 2);
	}
	memcpy(site, "\x0f\x05\xc3", 3);
}

/* One that the form can make: by rdi there is no argument left. */
static inline int emit_number(struct storm *storm, enum form form)
{
	return form == BY_DI ? shadow_own(storm) : shadow_any(storm);
}

static inline long emit_run(const unsigned char *site, enum form form, int number, const struct seeker *seeker)
{
	emitted_function *function = (emitted_function *)(uintptr_t)(site - emit_lead(form));

	return form == BY_DI ? function(number, 1, SEEK_CUR, -1) : function(seeker->fd, 1, SEEK_CUR, number);
}

/* What code answers that keeps the number in rdx: for the C compiler a structure of two words. */
struct told { long result, number; };

static inline struct told emit_told(const void *at, int number)
{
	return ((struct told (*)(long, long, long, long))(uintptr_t)at)(-1, 0, 0, number);
}

/* Code that was written at another address, or by another thread, is fetched anew (SDM 9.1.3). */
static inline void serialize(void)
{
	unsigned a = 0, b, c = 0, d;
	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d) : : "memory");
}

/* Of a fault that nobody expects: the line that a failure has, with the instruction and what is before it. */
static inline void report_fault(int signal, siginfo_t *info, void *context)
{
	const greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	unsigned char bytes[16] = { 0 };
	struct iovec to = { bytes, sizeof(bytes) }, from = { (void *)(regs[REG_RIP] - 8), sizeof(bytes) };
	char text[3 * sizeof(bytes) + 1];

	process_vm_readv(getpid(), &to, 1, &from, 1, 0);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		snprintf(text + 3 * i, 4, "%c%02x", i == 8 ? '>' : ' ', bytes[i]);
	FAIL("signal %d, code %d, at %#llx, address %p, rax %#llx, bytes%s", signal, info->si_code, regs[REG_RIP],
	     info->si_addr, regs[REG_RAX], text);
}

/* Where a program has handlers of its own it installs them later. */
static inline void report_faults(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGSYS };

	for (unsigned i = 0; i < COUNT_OF(signals); i++)
		handle(signals[i], report_fault, SA_RESETHAND);
}

/* Up to `most` moments. */
static inline void pause_some(struct storm *storm, unsigned most)
{
	for (unsigned moments = storm_below(storm, most); moments > 0; moments--)
		__builtin_ia32_pause();
}

#endif
