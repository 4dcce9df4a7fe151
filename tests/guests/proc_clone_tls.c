/* proc_clone_tls - row 14: CLONE_SETTLS without CLONE_THREAD and with it: fs is what the child was given, and calls at fresh sites
 * go on there; clone's own order of arguments, too */
#include "start.h"
#include <asm/prctl.h>

static long block[1024] __attribute__((aligned(64)));
static volatile long seen[2];
static int ended;

static int child(void *argument)
{
	long base;
	raw2(SYS_arch_prctl, ARCH_GET_FS, &base);
	asm volatile("movq %%fs:0,%0" : "=r"(seen[0]));
	seen[1] = base == (long)argument && raw0(SYS_getppid) > 0 && raw0(SYS_getgid) == raw0(SYS_getegid);
	return 33;
}

/* clone(flags, stack, ptid, ctid, tls): the child calls `child` and ends. */
asm(".text\nstart5: movq %rcx,%r10; movl $56,%eax; syscall; testq %rax,%rax; jz 1f; ret\n"
"1:	movq %r8,%rdi; call child_of_clone; movl %eax,%edi; movl $60,%eax; syscall; hlt\n");
extern long start5(long flags, void *stack, int *ptid, int *ctid, void *tls);
int child_of_clone(void *argument);
int child_of_clone(void *argument) { return child(argument); }

int main(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	long base;
	int tid;
	raw2(SYS_arch_prctl, ARCH_GET_FS, &base);
	block[0] = (long)block;   /* a thread block, but not one of any libc */
	for (int round = 0; round < 20; round++) {
		bool is_thread = round & 1, by_clone = round & 2;
		uint64_t flags = CLONE_VM | CLONE_SETTLS | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID |
			(is_thread ? CLONE_THREAD | CLONE_SIGHAND : 0);
		struct clone_args args = { .flags = flags, .exit_signal = is_thread ? 0 : SIGCHLD, .tls = (uint64_t)block,
			.stack = (uint64_t)stack, .stack_size = sizeof(stack), .child_tid = (uint64_t)&tid };
		tid = -1;
		seen[0] = seen[1] = 0;
		long pid = by_clone ? start5((long)flags | (is_thread ? 0 : SIGCHLD), stack + sizeof(stack), NULL, &tid, block) :
			start3(&args, sizeof(args), child, block);
		CHECK(pid > 0);
		if (!is_thread)
			CHECK_EQ(wait_child((pid_t)pid), 0x100 | 33);
		while (__atomic_load_n(&tid, __ATOMIC_ACQUIRE) != 0)
			sched_yield();
		CHECK(seen[0] == (long)block && seen[1] == 1);
		raw2(SYS_arch_prctl, ARCH_GET_FS, &args.tls);
		CHECK_EQ(args.tls, base);
		ended++;
	}
	say("%d children", ended);
	return 0;
}
