/* sud_only.c - Syscall User Dispatch and nothing else, as a preload: every call traps, and the handler makes it again
 *
 * What bench/apps compares with. The allowed range is section sud_gate: all calls of the handler are made there, and
 * its rt_sigreturn. Nothing is rewritten, and no hook is called. SUD_ONLY_COUNT names a file of eight bytes to which
 * each call adds one.
 *
 * Just enough for well-behaved glibc programs. The handler runs on the program's stack with the program's signal mask,
 * so that blocking calls are interrupted and restarted as ever; SIGSYS is kept out of every mask, or the next call
 * would kill. Children start without dispatch and are armed here:
 * - a copy of the process (fork) comes back into its copy of the handler;
 * - a thread, or posix_spawn's child, begins on a new stack. Its registers lie at the top of that;
 * - the child of vfork shares the parent's stack and overwrites the handler's frame. So the parent's registers are in
 *   its thread variables, and parent and child both leave by them, not by rt_sigreturn;
 * - clone3 is answered ENOSYS, and libc uses clone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <unistd.h>

#define USER_DISPATCH 2         /* SYS_USER_DISPATCH, which older headers lack */
#define KERNEL_SET 8            /* bytes of a signal set */
#define SIGSYS_BIT (1UL << (SIGSYS - 1))
#define RESTORER_FLAG 0x04000000UL

struct action {                 /* as rt_sigaction takes it */
	void *handler;
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask;
};

struct registers {              /* of a child: in ucontext's order */
	greg_t value[NGREG];
	unsigned long mask;
} __attribute__((aligned(16)));

static uint64_t unnoticed, *count = &unnoticed;
static __thread struct registers shared;
extern const char __start_sud_gate[], __stop_sud_gate[];
long sud_call(long number, const long *arguments);
long sud_clone(struct registers *child, const long *arguments);
void sud_vfork(struct registers *both, const long *arguments) __attribute__((noreturn));
void sud_return(long rsp) __attribute__((noreturn));
void sud_restorer(void);
void sud_child(const struct registers *child);

/* A gregset as in <sys/ucontext.h>: r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, flags. */
__asm__(
	".pushsection sud_gate, \"ax\", @progbits\n"
	".hidden sud_call, sud_clone, sud_vfork, sud_return, sud_restorer, sud_child\n"
	".macro load_arguments\n"
	"	movq %rsi, %rcx\n"
	"	movq (%rcx), %rdi\n"
	"	movq 8(%rcx), %rsi\n"
	"	movq 16(%rcx), %rdx\n"
	"	movq 24(%rcx), %r10\n"
	"	movq 32(%rcx), %r8\n"
	"	movq 40(%rcx), %r9\n"
	".endm\n"
	"sud_call:\n"
	"	movq %rdi, %rax\n"
	"	load_arguments\n"
	"	syscall\n"
	"	ret\n"
	"sud_clone:\n"
	"	pushq %rbx\n"
	"	movq %rdi, %rbx\n"
	"	load_arguments\n"
	"	movl $56, %eax\n"
	"	syscall\n"
	"	testq %rax, %rax\n"
	"	jz 1f\n"
	"	popq %rbx\n"
	"	ret\n"
	"sud_vfork:\n"
	"	movq %rdi, %rbx\n"
	"	load_arguments\n"
	"	movl $56, %eax\n"
	"	syscall\n"
	"	movq %rax, 104(%rbx)\n"
	"	testq %rax, %rax\n"
	"	jnz 2f\n"
	"	andq $-16, %rsp\n"
	"1:	movq %rbx, %rdi\n"
	"	call sud_child\n"
	"2:	movq %rbx, %rcx\n"
	"	pushq 136(%rcx)\n"
	"	popfq\n"
	"	movq (%rcx), %r8\n"
	"	movq 8(%rcx), %r9\n"
	"	movq 16(%rcx), %r10\n"
	"	movq 32(%rcx), %r12\n"
	"	movq 40(%rcx), %r13\n"
	"	movq 48(%rcx), %r14\n"
	"	movq 56(%rcx), %r15\n"
	"	movq 64(%rcx), %rdi\n"
	"	movq 72(%rcx), %rsi\n"
	"	movq 80(%rcx), %rbp\n"
	"	movq 88(%rcx), %rbx\n"
	"	movq 96(%rcx), %rdx\n"
	"	movq 104(%rcx), %rax\n"
	"	movq 128(%rcx), %r11\n"
	"	movq 120(%rcx), %rsp\n"         /* last: signals overwrite what is below */
	"	movq %r11, %rcx\n"
	"	jmp *%rcx\n"
	"sud_return:\n"
	"	movq %rdi, %rsp\n"
	"sud_restorer:\n"
	"	movl $15, %eax\n"
	"	syscall\n"
	"	nop; nop\n"                     /* the kernel compares the address after the instruction */
	".popsection\n");

static long call(long number, long a, long b, long c, long d, long e)
{
	const long arguments[6] = { a, b, c, d, e, 0 };

	return sud_call(number, arguments);
}

static long arm(void)
{
	return call(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, (long)__start_sud_gate,
		    __stop_sud_gate - __start_sud_gate, 0);
}

/* The first that a child does that has not the parent's frame. */
void sud_child(const struct registers *child)
{
	arm();
	call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&child->mask, 0, KERNEL_SET, 0);
}

static long clone_thread(const ucontext_t *uc, long arguments[6])
{
	struct registers *child = (struct registers *)(arguments[1] & -16L) - 1;
	const unsigned long all = ~SIGSYS_BIT;
	long result;

	memcpy(child->value, uc->uc_mcontext.gregs, sizeof(child->value));
	memcpy(&child->mask, &uc->uc_sigmask, KERNEL_SET);
	child->value[REG_RSP] = arguments[1];
	child->value[REG_RAX] = 0;
	arguments[1] = (long)child;
	call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, KERNEL_SET, 0);
	result = sud_clone(child, arguments);
	call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&uc->uc_sigmask, 0, KERNEL_SET, 0);
	return result;
}

static long clone_any(const ucontext_t *uc, long arguments[6])
{
	long result;

	if (arguments[1] != 0)
		return clone_thread(uc, arguments);
	if (arguments[0] & CLONE_VM) {
		memcpy(shared.value, uc->uc_mcontext.gregs, sizeof(shared.value));
		memcpy(&shared.mask, &uc->uc_sigmask, KERNEL_SET);
		sud_vfork(&shared, arguments);
	}
	result = sud_call(SYS_clone, arguments);
	if (result == 0)
		arm();
	return result;
}

/* rt_sigprocmask, and then the mask that the handler leaves with. */
static long change_mask(ucontext_t *uc, const long arguments[6])
{
	long result = sud_call(SYS_rt_sigprocmask, arguments);

	call(SYS_rt_sigprocmask, SIG_SETMASK, 0, (long)&uc->uc_sigmask, KERNEL_SET, 0);
	return result;
}

static long change_action(const long arguments[6])
{
	const struct action *wanted = (const struct action *)arguments[1];
	struct action less;

	if (arguments[0] == SIGSYS)
		return 0;
	if (wanted == NULL)
		return sud_call(SYS_rt_sigaction, arguments);
	less = *wanted;
	less.mask &= ~SIGSYS_BIT;
	return call(SYS_rt_sigaction, arguments[0], (long)&less, arguments[2], arguments[3], 0);
}

/* Which argument points to a set of signals to block, or -1. */
static int set_argument(long number)
{
	switch (number) {
	case SYS_rt_sigsuspend: return 0;
	case SYS_rt_sigprocmask: return 1;
	case SYS_ppoll: return 3;
	case SYS_epoll_pwait: return 4;
	default: return -1;
	}
}

static long make(ucontext_t *uc, long number, long arguments[6])
{
	const long fork_arguments[6] = { SIGCHLD }, vfork_arguments[6] = { CLONE_VM | CLONE_VFORK | SIGCHLD };
	int which = set_argument(number);
	unsigned long set;

	if (which >= 0 && arguments[which] != 0) {
		set = *(const unsigned long *)arguments[which] & ~SIGSYS_BIT;
		arguments[which] = (long)&set;
	}
	switch (number) {
	case SYS_rt_sigreturn: sud_return(uc->uc_mcontext.gregs[REG_RSP]);
	case SYS_rt_sigaction: return change_action(arguments);
	case SYS_rt_sigprocmask: return change_mask(uc, arguments);
	case SYS_clone3: return -ENOSYS;
	case SYS_clone: return clone_any(uc, arguments);
	case SYS_fork: return clone_any(uc, memcpy(arguments, fork_arguments, sizeof(fork_arguments)));
	case SYS_vfork: return clone_any(uc, memcpy(arguments, vfork_arguments, sizeof(vfork_arguments)));
	default: return sud_call(number, arguments);
	}
}

static void pass_on(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	greg_t *r = uc->uc_mcontext.gregs;
	long arguments[6] = { r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8], r[REG_R9] };

	(void)signal;
	if (info->si_code != USER_DISPATCH)
		return;
	__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
	r[REG_RAX] = make(uc, (int)r[REG_RAX], arguments);
}

static void give_up(const char *why)
{
	static const char name[] = "sud_only: ";

	if (write(STDERR_FILENO, name, sizeof(name) - 1) < 0 || write(STDERR_FILENO, why, strlen(why)) < 0)
		_exit(126);
	_exit(127);
}

static void open_count(const char *file)
{
	int fd = open(file, O_RDWR | O_CLOEXEC);
	void *memory = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		give_up("cannot map the file of SUD_ONLY_COUNT\n");
	count = memory;
	close(fd);
}

__attribute__((constructor)) static void start(void)
{
	const struct action action = { .handler = (void *)pass_on, .restorer = sud_restorer,
				       .flags = SA_SIGINFO | SA_NODEFER | RESTORER_FLAG };
	const unsigned long sigsys = SIGSYS_BIT;
	const char *file = getenv("SUD_ONLY_COUNT");

	if (file != NULL)
		open_count(file);
	call(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&sigsys, 0, KERNEL_SET, 0);
	if (call(SYS_rt_sigaction, SIGSYS, (long)&action, 0, KERNEL_SET, 0) != 0 || arm() != 0)
		give_up("cannot arm Syscall User Dispatch\n");
}
