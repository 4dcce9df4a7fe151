/* injected.c - one system call a round, between two breakpoints, in which a signal comes; for tests/test_inject.py
 *
 *     injected CASE RESULT FORM    RESULT: what getpid answers; 0: what it really is
 *
 * The tracer (injector.c) stops at `int3` before the site, sends the signal after so many steps of the call, and lets
 * go. The handler must be shown the program before the call, which then has had no effect, or after it, with its
 * result: each register, the mask, extended state. It changes r15 there. Once the call has returned, the handler has
 * run, once, and the call has been made once.
 *
 *     getpid, backwards     the second with the direction flag set
 *     write                 one byte to a pipe, not more
 *     read                  of an empty pipe that the handler writes to: all but SIGALRM (SA_RESTART) may end it
 *     block, unblock        rt_sigprocmask of these signals: after, or before, no handler runs
 *     suspend               rt_sigsuspend lets them in: the handler runs at its end, never before
 *     unknown, high         a number above all that are known; getpid, with bits in the upper half of rax
 *
 * FORM is what the call looks like:
 *
 *     bare                  a `syscall`, with nothing beside it
 *     mov, movq             a `mov` of the number before it, of five bytes or seven; the call begins there
 *     cave                  padding up to the next function behind it
 *     shadowed              as bare; the agent's table of sites (base/sites.h) has another one in its place
 *     open                  as mov, in memory that the program can write
 */
#include "../guests/guest.h"
#include "injected.h"
#include <sys/ioctl.h>
#include <sys/mman.h>

enum { RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP, R8, R9, R10, R11, R12, R13, R14, R15, FLAGS, REGISTERS };
enum { VECTORS = 16, STATUS_FLAGS = 0x8d5, DIRECTION_FLAG = 0x400 };
static const int of_context[REGISTERS] = { REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP, REG_RSP,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_EFL };
static const char *const names[REGISTERS] = { "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10",
	"r11", "r12", "r13", "r14", "r15", "rflags" };

static struct state {
	uint64_t in[REGISTERS], out[REGISTERS];
	uint64_t vector_in[VECTORS][2], vector_out[VECTORS][2];
} state;

extern void call_between(struct state *state);
extern char open_after[];
extern char bare_call[], cave_call[], open_call[];
extern long shadow_call(long number);
#define FORMS_OF(number) extern char mov_##number[], movq_##number[];
FORMS_OF(0) FORMS_OF(1) FORMS_OF(14) FORMS_OF(39) FORMS_OF(130)
extern long open_signals(const uint64_t *mask);

/* Each a function of its own, padded up to the next. */
asm(".text\n"
"	.irp number, 0,1,14,39,130\n"
"	.p2align 4\n"
"mov_\\number:\n"
"	.cfi_startproc\n"
"	movl $\\number, %eax; syscall; int3; jmp call_back\n"
"	.cfi_endproc\n"
"	.p2align 4\n"
"movq_\\number:\n"
"	.cfi_startproc\n"
"	.byte 0x48, 0xc7, 0xc0; .long \\number; syscall; int3; jmp call_back\n"
"	.cfi_endproc\n"
"	.endr\n"
"	.p2align 4\n"
"cave_call:\n"
"	.cfi_startproc\n"
"	syscall; int3; jmp call_back\n"
"	.cfi_endproc\n"
"	.p2align 4\n"
"call_between:\n"
"	.cfi_startproc\n"
"	pushq %rbx; pushq %rbp; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n"
"	pushq %rdi\n"
"	movq %rsp, 8*7(%rdi)\n"
"	pushq 8*16(%rdi)\n"
"	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
"	movups 8*34+16*\\n(%rdi), %xmm\\n\n"
"	.endr\n"
"	movq 8*0(%rdi), %rax; movq 8*1(%rdi), %rbx; movq 8*2(%rdi), %rcx; movq 8*3(%rdi), %rdx\n"
"	movq 8*4(%rdi), %rsi; movq 8*6(%rdi), %rbp; movq 8*8(%rdi), %r8; movq 8*9(%rdi), %r9\n"
"	movq 8*10(%rdi), %r10; movq 8*11(%rdi), %r11; movq 8*12(%rdi), %r12; movq 8*13(%rdi), %r13\n"
"	movq 8*14(%rdi), %r14; movq 8*15(%rdi), %r15; movq 8*5(%rdi), %rdi\n"
"	popfq\n"
"	int3\n"
"	jmp *call_begin(%rip)\n"
"call_back:\n"
"	pushfq\n"
"	pushq %rax\n"
"	movq 16(%rsp), %rax\n"
"	popq 8*17(%rax)\n"
"	popq 8*17+8*16(%rax)\n"
"	movq %rsp, 8*17+8*7(%rax)\n"
"	movq %rbx, 8*17+8*1(%rax); movq %rcx, 8*17+8*2(%rax); movq %rdx, 8*17+8*3(%rax)\n"
"	movq %rsi, 8*17+8*4(%rax); movq %rdi, 8*17+8*5(%rax); movq %rbp, 8*17+8*6(%rax)\n"
"	movq %r8, 8*17+8*8(%rax); movq %r9, 8*17+8*9(%rax); movq %r10, 8*17+8*10(%rax)\n"
"	movq %r11, 8*17+8*11(%rax); movq %r12, 8*17+8*12(%rax); movq %r13, 8*17+8*13(%rax)\n"
"	movq %r14, 8*17+8*14(%rax); movq %r15, 8*17+8*15(%rax)\n"
"	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
"	movups %xmm\\n, 8*34+16*16+16*\\n(%rax)\n"
"	.endr\n"
"	pushq $0x202; popfq\n"
"	popq %rdi\n"
"	popq %r15; popq %r14; popq %r13; popq %r12; popq %rbp; popq %rbx\n"
"	ret\n"
"	.cfi_endproc\n"
"open_signals:\n"
"	.cfi_startproc\n"
"	movq %rdi, %rsi; movl $2, %edi; xorl %edx, %edx; movl $8, %r10d; movl $14, %eax\n"   /* SIG_SETMASK */
"	syscall\n"
"open_after:\n"
"	ret\n"
"	.cfi_endproc\n"
"	.fill 200, 1, 0xf4\n"   /* no padding within reach of a short jump */
"bare_call:\n"
"	.cfi_startproc\n"
"	syscall; int3; jmp call_back\n"
"	.cfi_endproc\n"
"	.fill 200, 1, 0xf4\n"
"	.fill bare_call + 4096 - 3 - ., 1, 0xf4\n"
"shadow_call:\n"
"	.cfi_startproc\n"
"	movq %rdi, %rax; syscall; ret\n"
"	.cfi_endproc\n"
"	.p2align 12, 0xf4\n"
"open_call:\n"
"	.cfi_startproc\n"
"	movl $39, %eax; syscall; int3; jmp call_back\n"
"	.cfi_endproc\n"
"	.p2align 12, 0xf4\n");

#define BIT(signal) (1UL << ((signal) - 1))
static char *call_begin, *call_site, *call_after;

/* SIGSYS is blocked all the time, in the program's eyes. */
enum { SIGNALS = BIT(SIGUSR1) | BIT(SIGALRM) | BIT(SIGSEGV), BLOCKED = BIT(SIGSYS), ALL = SIGNALS | BLOCKED };
static const uint64_t nothing, signals = SIGNALS, blocked = BLOCKED;

static struct a_case {
	const char *name;
	long number, arg[4];
	uint64_t flags;
	long result;
	uint64_t before, after;    /* mask of the program before the call, and after it */
} cases[] = {
	{ "getpid", SYS_getpid, { 1, 2, 3, 4 }, STATUS_FLAGS, 0, BLOCKED, BLOCKED },
	{ "backwards", SYS_getpid, { 1, 2, 3, 4 }, DIRECTION_FLAG, 0, BLOCKED, BLOCKED },
	{ "unknown", 600, { 1, 2, 3, 4 }, STATUS_FLAGS, -ENOSYS, BLOCKED, BLOCKED },
	{ "high", SYS_getpid | 0x5a5a5a5aUL << 32, { 1, 2, 3, 4 }, STATUS_FLAGS, 0, BLOCKED, BLOCKED },
	{ "write", SYS_write, { 0, (long)"x", 1, 4 }, 0, 1, BLOCKED, BLOCKED },
	{ "read", SYS_read, { 0, 0, 1, 4 }, STATUS_FLAGS, 1, BLOCKED, BLOCKED },
	{ "block", SYS_rt_sigprocmask, { SIG_BLOCK, (long)&signals, 0, 8 }, STATUS_FLAGS, 0, BLOCKED, ALL },
	{ "unblock", SYS_rt_sigprocmask, { SIG_UNBLOCK, (long)&signals, 0, 8 }, STATUS_FLAGS, 0, ALL, BLOCKED },
	{ "suspend", SYS_rt_sigsuspend, { (long)&nothing, 8, 3, 4 }, STATUS_FLAGS, -EINTR, ALL, ALL },
};

static const struct a_case *chosen;
static int pipe_fds[2];
static char byte;
static volatile int handled, edits;
static bool is_shadowed;
static volatile bool is_warming, is_ended_early, is_opening;

static bool is(const char *name)
{
	return strcmp(chosen->name, name) == 0;
}

static int bytes_in_pipe(void)
{
	int count = -1;
	CHECK(ioctl(pipe_fds[0], FIONREAD, &count) == 0);
	return count;
}

static void check_call(void *context, bool is_before, bool is_restarting)
{
	if (is_before) {
		bool has_number = reg(context, REG_RIP) == (long)call_site;
		CHECK_EQ(reg(context, REG_RAX), has_number ? chosen->number : (long)state.in[RAX]);
		CHECK_EQ(bytes_in_pipe(), 0);
		CHECK(!is("unblock") && !is("suspend"));
	} else if (is("read")) {
		CHECK_EQ(reg(context, REG_RAX), -EINTR);
		CHECK(!is_restarting);
		is_ended_early = true;
	} else {
		CHECK_EQ(reg(context, REG_RAX), chosen->result);
		CHECK_EQ(bytes_in_pipe(), is("write"));
		CHECK(!is("block"));
	}
}

static void check_context(ucontext_t *context, bool is_before)
{
	for (int i = 0; i < REGISTERS; i++) {
		uint64_t got = (uint64_t)reg(context, of_context[i]);
		uint64_t after = i == R11 ? state.in[FLAGS] : i == RCX ? (uint64_t)call_after : state.in[i];
		/* before a call that is made again, rcx and r11 may be as after it, as natively */
		if (i != RAX && got != after && !(is_before && got == state.in[i]))
			FAIL("%s in the handler, %s the call: %#lx, not %#lx", names[i], is_before ? "before" : "after", got,
			     after);
	}
	CHECK(memcmp(context->uc_mcontext.fpregs->_xmm, state.vector_in, sizeof(state.vector_in)) == 0);
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	uintptr_t pc = (uintptr_t)reg(context, REG_RIP);
	bool is_before = pc == (uintptr_t)call_begin || pc == (uintptr_t)call_site;
	uint64_t shown, now, temporary;

	handled++;
	memcpy(&shown, &((ucontext_t *)context)->uc_sigmask, sizeof(shown));
	if (!is_warming)
		CHECK(info->si_signo == signal && info->si_code == SI_TKILL && info->si_pid == getppid());
	if (is_opening) {
		CHECK_EQ(pc, (uintptr_t)open_after);
		CHECK_EQ(shown, BLOCKED);
		return;
	}
	if (!is_before && pc != (uintptr_t)call_after)
		FAIL("the handler is shown pc %#lx; the site is %#lx", pc, (uintptr_t)call_site);
	check_call(context, is_before, signal == SIGALRM);
	check_context(context, is_before);
	CHECK_EQ(shown, is_before ? chosen->before : chosen->after);
	temporary = is("suspend") ? nothing : shown;
	CHECK(raw6(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)&now, 8, 0, 0) == 0);
	CHECK_EQ(now, temporary | BIT(signal));
	((ucontext_t *)context)->uc_mcontext.gregs[REG_R15]++;
	edits++;
	if (is("read"))
		CHECK(write(pipe_fds[1], "x", 1) == 1);
}

static void prepare(bool is_warm)
{
	for (uint64_t i = 0; i < FLAGS; i++)
		state.in[i] = 0x0123456789abcdefUL * (i + 1) ^ i << 56;
	for (uint64_t i = 0; i < VECTORS * 2; i++)
		state.vector_in[i / 2][i % 2] = 0xfedcba9876543210UL * (i + 3);
	state.in[FLAGS] = 0x202 | chosen->flags;
	if (call_begin == call_site)
		state.in[RAX] = (uint64_t)chosen->number;
	state.in[RDI] = (uint64_t)chosen->arg[0];
	state.in[RSI] = (uint64_t)chosen->arg[1];
	state.in[RDX] = (uint64_t)chosen->arg[2];
	state.in[R10] = (uint64_t)chosen->arg[3];
	handled = edits = 0;
	is_ended_early = false;
	is_warming = is_warm;
	byte = 0;
	CHECK_EQ(open_signals(&chosen->before), 0);
	if (is_warm && is("read"))
		CHECK(write(pipe_fds[1], "x", 1) == 1);
	if (is_warm && (is("suspend") || is("unblock")))
		CHECK(raise(SIGUSR1) == 0);
}

static void check_after(void)
{
	uint64_t expected[REGISTERS];

	memcpy(expected, state.in, sizeof(expected));
	expected[RAX] = (uint64_t)(is_ended_early ? -EINTR : chosen->result);
	expected[RCX] = (uint64_t)call_after;
	expected[R11] = state.in[FLAGS];
	expected[R15] += (uint64_t)edits;
	for (int i = 0; i < REGISTERS; i++)
		if (state.out[i] != expected[i])
			FAIL("%s after the call: %#lx, not %#lx", names[i], state.out[i], expected[i]);
	CHECK(memcmp(state.vector_out, state.vector_in, sizeof(state.vector_in)) == 0);
}

static void finish(bool is_warm)
{
	uint64_t now;

	check_after();
	CHECK(raw6(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)&now, 8, 0, 0) == 0);
	CHECK_EQ(now, chosen->after);
	if (is_shadowed)
		CHECK_EQ(shadow_call(SYS_getuid), getuid());
	is_opening = true;
	CHECK_EQ(open_signals(&blocked), 0);
	is_opening = false;
	CHECK_EQ(handled, is_warm ? is("suspend") || is("unblock") : 1);
	if (is("read") && !is_ended_early)
		CHECK_EQ(byte, 'x');
	CHECK_EQ(bytes_in_pipe(), is("write") || is_ended_early);
	if (is("write") || is_ended_early)
		CHECK(read(pipe_fds[0], &byte, 1) == 1);
}

static void choose_form(const char *form)
{
	static const struct { long number; char *mov, *movq; } fixed[] = { { 0, mov_0, movq_0 }, { 1, mov_1, movq_1 },
		{ 14, mov_14, movq_14 }, { 39, mov_39, movq_39 }, { 130, mov_130, movq_130 } };
	bool is_short = strcmp(form, "mov") == 0;

	is_shadowed = strcmp(form, "shadowed") == 0;
	call_begin = call_site = strcmp(form, "cave") == 0 ? cave_call :
				 is_shadowed || strcmp(form, "bare") == 0 ? bare_call : NULL;
	if (strcmp(form, "open") == 0) {
		call_begin = open_call;
		call_site = open_call + 5;
		CHECK(mprotect(open_call, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
	}
	for (size_t i = 0; i < COUNT_OF(fixed) && !call_begin; i++) {
		if (fixed[i].number == chosen->number) {
			call_begin = is_short ? fixed[i].mov : fixed[i].movq;
			call_site = call_begin + (is_short ? 5 : 7);
			break;
		}
	}
	CHECK(call_begin);
	call_after = call_site + 2;
}

int main(int argc, char **argv)
{
	CHECK(argc == 4);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (strcmp(cases[i].name, argv[1]) == 0)
			chosen = &cases[i];
	CHECK(chosen && pipe(pipe_fds) == 0);
	choose_form(argv[3]);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if ((int)cases[i].number == SYS_getpid)
			cases[i].result = atol(argv[2]) ? atol(argv[2]) : getpid();
		else if (cases[i].number == SYS_write)
			cases[i].arg[0] = pipe_fds[1];
		else if (cases[i].number == SYS_read)
			cases[i].arg[0] = pipe_fds[0], cases[i].arg[1] = (long)&byte;
	}
	handle(SIGUSR1, on_signal, 0);
	handle(SIGSEGV, on_signal, 0);
	handle(SIGALRM, on_signal, SA_RESTART);
	for (long round = 0;; round++) {
		prepare(round < WARM_ROUNDS);
		call_between(&state);
		finish(round < WARM_ROUNDS);
	}
}
