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
	FIXED_LONG,     /* mov $number,%rax; syscall; ret */
	BY_CX,          /* mov %ecx,%eax;    syscall; ret */
	BY_DI,          /* mov %edi,%eax;    syscall; ret */
	FORMS
};

enum { BEFORE_SITE = 7, AFTER_SITE = 3, START_ALIGNMENT = 16 };   /* bytes of a function, at most */

/* From the function's start to the site. */
static inline unsigned emit_lead(enum form form)
{
	return form == FIXED ? 5 : form == FIXED_LONG ? 7 : 2;
}

static inline bool emit_has_number(enum form form)
{
	return form == FIXED || form == FIXED_LONG;
}

static inline void emit_at(unsigned char *site, enum form form, int number)
{
	if (form == FIXED) {
		site[-5] = 0xb8;
		memcpy(site - 4, &number, 4);
	} else if (form == FIXED_LONG) {
		memcpy(site - 7, "\x48\xc7\xc0", 3);
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

/* As a compiler fills the space behind a `ret`: nops of all lengths, or int3. */
static inline void emit_padding(struct storm *storm, unsigned char *at, unsigned size)
{
	static const unsigned char nops[9][9] = { "\x90", "\x66\x90", "\x0f\x1f\x00", "\x0f\x1f\x40\x00",
		"\x0f\x1f\x44\x00\x00", "\x66\x0f\x1f\x44\x00\x00", "\x0f\x1f\x80\x00\x00\x00",
		"\x0f\x1f\x84\x00\x00\x00\x00", "\x66\x0f\x1f\x84\x00\x00\x00\x00" };
	unsigned most = 1 + storm_below(storm, 10), done = 0, length;

	if (most == 10) {
		memset(at, 0xcc, size);
		return;
	}
	for (; done < size; done += length) {
		length = size - done < most ? size - done : most;
		memcpy(at + done, nops[length - 1], length);
	}
}

/* Instructions that change nothing that these functions use; `begins` (if any) is set where one begins. */
static inline void emit_straight(struct storm *storm, unsigned char *at, unsigned size, unsigned char *begins)
{
	static const unsigned char plain[4][5] = { "\x90", "\x89\xc9", "\x48\x89\xff", "\x48\x8d\x76\x00" };
	unsigned done = 0, length;

	for (; done < size; done += length) {
		length = 1 + storm_below(storm, 4);
		length = length > size - done ? 1 : length;
		memcpy(at + done, plain[length - 1], length);
		if (begins)
			begins[done] = 1;
	}
}

/* What stands between the end of one function and the mov of the next: padding up to an aligned start, and a way that
 * leads from there to the mov, where there is room. Returns the start. */
static inline unsigned emit_between(struct storm *storm, unsigned char *image, unsigned end, unsigned mov,
				    unsigned char *begins)
{
	unsigned first = (end + START_ALIGNMENT - 1) / START_ALIGNMENT * START_ALIGNMENT, start;
	unsigned starts = first > mov ? 0 : 1 + (mov - first) / START_ALIGNMENT;

	if (starts == 0) {
		emit_padding(storm, image + end, mov - end);
		return mov;
	}
	start = first + START_ALIGNMENT * (starts - 1 - storm_below(storm, starts > 3 ? 3 : starts));
	emit_padding(storm, image + end, start - end);
	emit_straight(storm, image + start, mov - start, begins ? begins + start : NULL);
	return start;
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
