/* nulls.h - calls through NULL, which have to fault as they do natively, and the handler that recovers from them */
#ifndef NULLS_H
#define NULLS_H

#include "emit.h"

enum { NULL_ANSWER = 0x6e756c6c };
enum { PAGE_FAULT = 14, FETCH_BY_USER = 0x14 };

/* What the fault of the call in progress has to show. */
struct null_call {
	long after;             /* return address */
	long number;            /* in rcx */
	sigjmp_buf out;
	bool jumps;             /* leaves the handler by siglongjmp, else by a changed pc */
	volatile long faults;
};

/* `xor %eax,%eax; call *%rax; ret` or `mov $number,%eax; xor %edx,%edx; call *%rdx; ret`; the call ends at `after`. */
static inline emitted_function *null_emit(unsigned char *after, bool by_rax, int number)
{
	if (by_rax)
		return (emitted_function *)(uintptr_t)memcpy(after - 4, "\x31\xc0\xff\xd0\xc3", 5);
	after[-9] = 0xb8;
	memcpy(after - 8, &number, 4);
	memcpy(after - 4, "\x31\xd2\xff\xd2\xc3", 5);
	return (emitted_function *)(uintptr_t)(after - 9);
}

/* In the handler of SIGSEGV. */
static inline void null_check(struct null_call *call, const siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

	CHECK_EQ(info->si_signo, SIGSEGV);
	CHECK_EQ(info->si_code, SEGV_MAPERR);
	CHECK_EQ(info->si_addr, 0);
	CHECK_EQ(regs[REG_RIP], 0);
	CHECK_EQ(regs[REG_TRAPNO], PAGE_FAULT);
	CHECK_EQ(regs[REG_ERR], FETCH_BY_USER);
	CHECK_EQ(*(long *)regs[REG_RSP], call->after);
	CHECK_EQ(regs[REG_RCX], call->number);
	call->faults++;
	if (call->jumps)
		siglongjmp(call->out, 1);
	regs[REG_RIP] = call->after;
	regs[REG_RSP] += 8;
	regs[REG_RAX] = NULL_ANSWER;
}

#endif
