/* thr_raw - rows 14 and 16: threads by raw clone without TLS; they make calls, free their own stack and exit without any */
#include "code.h"
#include <linux/futex.h>

enum { THREADS = 50, STACK = 16384 };
static const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
	CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
int counter_fd;

/* long start(flags, stack, ptid, ctid): the child seeks ten times, unmaps its stack, exits. */
asm(".text\nstart: movq %rcx,%r10; movl $56,%eax; syscall; testq %rax,%rax; jz 1f; ret\n"
"1:	pushq $10\n"
"2:	movl counter_fd(%rip),%edi; movl $1,%esi; movl $1,%edx; movl $8,%eax; syscall; decl (%rsp); jnz 2b\n"
"	popq %rdi; movq %rsp,%rdi; subq $16384,%rdi; movl $16384,%esi; movl $11,%eax; syscall\n"
"	xorl %edi,%edi; movl $60,%eax; syscall; hlt\n");
extern long start(long flags, void *stack, int *ptid, int *ctid);

int main(void)
{
	CHECK((counter_fd = memfd_create("count", 0)) >= 0);
	for (int i = 0; i < THREADS; i++) {
		char *stack = mmap(NULL, STACK, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		int tid = -1, seen = 0;
		long result = start(flags, stack + STACK, &seen, &tid);
		CHECK(result > 0 && seen == result);
		while (__atomic_load_n(&tid, __ATOMIC_ACQUIRE) != 0)
			raw6(SYS_futex, (long)&tid, FUTEX_WAIT, -1, 0, 0, 0), sched_yield();
	}
	say("%d threads, %ld calls", THREADS, (long)lseek(counter_fd, 0, SEEK_CUR));
	return 0;
}
