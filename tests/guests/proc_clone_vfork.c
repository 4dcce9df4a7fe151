/* proc_clone_vfork - row 14: clone(CLONE_VM|CLONE_VFORK) without a stack of its own, as Go's os/exec does; CLONE_VM alone with one. needs the real getpid */
#include "guest.h"

int shared, other_pid;

int main(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	char *const arguments[] = { "false", NULL };
	for (int round = 0; round < 20; round++) {
		long child = raw6(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0, 0);
		if (child == 0) {
			shared++;
			if (round % 2)
				raw3(SYS_execve, "/bin/false", arguments, environ);
			raw1(SYS_exit, 9);
		}
		CHECK(child > 0 && shared == round + 1);
		CHECK_EQ(wait_child((pid_t)child), round % 2 ? 0x101 : 0x109);
		/* CLONE_VM without CLONE_THREAD or CLONE_VFORK: both run at once in one memory */
		asm volatile("syscall; testq %%rax,%%rax; jnz 1f; movl $102,%%eax; syscall; movl $39,%%eax; syscall\n"
			"movl %%eax,other_pid(%%rip); movl $7,%%edi; movl $60,%%eax; syscall\n1:" : "=a"(child)
			: "0"(SYS_clone), "D"((long)(CLONE_VM | SIGCHLD)), "S"(stack + sizeof(stack)), "d"(0L)
			: "rcx", "r11", "memory");
		CHECK(child > 0);
		CHECK_EQ(wait_child((pid_t)child), 0x107);
		CHECK_EQ(other_pid, child);
	}
	say("%d children", shared);
	return 0;
}
