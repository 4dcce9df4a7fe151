/* thr_no_tls - rows 14 and 17: threads by plain clone that share the thread pointer of their parent, or point it at 64 bytes
 * of their own, make calls at the same time as the threads of libc */
#include "code.h"
#include <asm/prctl.h>
#include <linux/futex.h>

enum { THREADS = 6, STACK = 65536, CALLS = 300 };
static const long sharing = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
	CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
static uint64_t areas[THREADS][8] __attribute__((aligned(64)));
int counter_fd, calls;

/* long start(flags, stack, ptid, ctid, own): the child sets its thread pointer to `own` if that is not 0 or given by
 * CLONE_SETTLS, seeks 300 times, checks that the thread pointer is still `own`, exits. Uses no thread-local variable. */
asm(".text\nstart: movq %rcx,%r10; movq %r8,%r9; movl $56,%eax; syscall; testq %rax,%rax; jz 1f; ret\n"
"1:	testq %r9,%r9; jz 2f; btl $19,%edi; jc 2f\n"
"	movl $0x1002,%edi; movq %r9,%rsi; movl $158,%eax; syscall\n"
"2:	movl $300,%ebx\n"
"3:	movl counter_fd(%rip),%edi; movl $1,%esi; movl $1,%edx; movl $8,%eax; syscall; lock incl calls(%rip); decl %ebx; jnz 3b\n"
"	pushq $0; movl $0x1003,%edi; movq %rsp,%rsi; movl $158,%eax; syscall\n"
"	testq %r9,%r9; jz 4f; cmpq %r9,(%rsp); je 4f; ud2\n"
"4:	xorl %edi,%edi; movl $60,%eax; syscall; hlt\n");
extern long start(long flags, void *stack, int *ptid, int *ctid, void *own);

static void *body(void *argument)
{
	for (int i = 0; i < CALLS; i++)
		lseek(counter_fd, 1, SEEK_CUR), __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
	return argument;
}

static void run_round(void)
{
	pthread_t thread;
	static int tids[THREADS];
	char *stacks = mmap(NULL, THREADS * STACK, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(stacks != MAP_FAILED && pthread_create(&thread, NULL, body, NULL) == 0);
	for (int i = 0; i < THREADS; i++) {
		int seen;
		void *own = i % 3 ? areas[i] : NULL;
		long flags = sharing | (i % 3 == 2 ? CLONE_SETTLS : 0);
		tids[i] = -1;
		CHECK(start(flags, stacks + (i + 1) * STACK, &seen, &tids[i], own) > 0);
	}
	for (int i = 0, tid; i < THREADS; i++)
		while ((tid = __atomic_load_n(&tids[i], __ATOMIC_ACQUIRE)) != 0)
			raw6(SYS_futex, (long)&tids[i], FUTEX_WAIT, tid, 0, 0, 0), sched_yield();
	CHECK(pthread_join(thread, NULL) == 0 && munmap(stacks, THREADS * STACK) == 0);
}

int main(void)
{
	CHECK((counter_fd = memfd_create("count", 0)) >= 0);
	for (int round = 0; round < 5; round++)
		run_round();
	for (int i = 0; i < THREADS; i++)
		for (int j = 0; j < 8; j++)
			CHECK_EQ(areas[i][j], 0);
	say("%d calls", calls);
	return 0;
}
