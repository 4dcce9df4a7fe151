/* jump_threads_raw - issue 5, row 16: raw threads, started by mov and by cave, call, free their own stack and exit
 * without any */
#include "jump.h"
#include <linux/futex.h>
#include <sys/eventfd.h>

enum { THREADS = 60, STACK = 16384 };
static const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
	CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
int counter;

/* long start(flags, stack, ptid, ctid, nr): the child writes ten times, unmaps its stack, exits. */
#define BODY(make, unmap, leave) make "syscall; testq %rax,%rax; jz 1f; ret\n1: pushq $5\n" \
	"2: movl counter(%rip),%edi; leaq one_word(%rip),%rsi; movl $8,%edx; movl $1,%eax; syscall\n" \
	"movl counter(%rip),%edi; leaq one_word(%rip),%rsi; movl $8,%edx; movl (%rsi),%eax; syscall; decl (%rsp); jnz 2b\n" \
	"popq %rdi; movq %rsp,%rdi; subq $16384,%rdi; movl $16384,%esi; " unmap "syscall; xorl %esp,%esp\n" \
	"xorl %edi,%edi; " leave "syscall; hlt; .p2align 4; ret"
FUNCTION(mov_start, "movq %rcx,%r10; " BODY("movl $56,%eax; ", "movl $11,%eax; ", "movl $60,%eax; "));
FUNCTION(cave_start, "movq %rcx,%r10; " BODY("movq %r8,%rax; ", "movl $5,%eax; addl $6,%eax; ",
	"leal 60(%rdi),%eax; "));
extern long mov_start(long flags, void *stack, int *ptid, int *ctid, long nr),
	cave_start(long flags, void *stack, int *ptid, int *ctid, long nr);
uint64_t one_word = 1;

int main(void)
{
	CHECK((counter = eventfd(0, 0)) >= 0);
	for (int i = 0; i < THREADS; i++) {
		char *stack = mmap(NULL, STACK, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		int tid = -1, seen = 0;
		long result = (i % 2 ? mov_start : cave_start)(flags, stack + STACK, &seen, &tid, SYS_clone);
		CHECK(result > 0 && seen == result);
		while (__atomic_load_n(&tid, __ATOMIC_ACQUIRE) != 0)
			raw6(SYS_futex, (long)&tid, FUTEX_WAIT, -1, 0, 0, 0), sched_yield();
	}
	say("%d threads, %ld calls", THREADS, counted(counter));
	return 0;
}
