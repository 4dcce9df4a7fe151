/* proc_clone_foreign - row 14: a process made by clone with CLONE_SETTLS, whose fs is no thread block of any libc, makes calls */
#include "guest.h"

static char tls[4096] __attribute__((aligned(64)));

int main(void)
{
	long flags = CLONE_SETTLS | SIGCHLD, result;
	register long child_tid asm("r10") = 0, fs asm("r8") = (long)tls + 2048;

	asm volatile("syscall; testq %%rax,%%rax; jnz 1f\n\t"
		"movl $8,%%eax; movl $-1,%%edi; xorl %%esi,%%esi; xorl %%edx,%%edx; syscall\n\t"
		"movl %%eax,%%edi; negl %%edi; movl $60,%%eax; syscall; 1:"
		: "=a"(result) : "0"(SYS_clone), "D"(flags), "S"(0L), "d"(0L), "r"(child_tid), "r"(fs) : "rcx", "r11", "memory");
	CHECK(result > 0);
	say("lseek's error in the child: %d", wait_child((pid_t)result) & 0xff);
	return 0;
}
