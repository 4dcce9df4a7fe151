/* proc_child_registers - rows 10 and 14: in the child of fork, vfork, clone with a stack and clone3 every register is as the kernel leaves it */
#include "registers.h"
#include <linux/sched.h>

/* As registers_call, but the child (rax 0) stores to child_out and exits 1..: no stack below rsp, no return. */
uint64_t child_in[17], child_out[17];
extern void child_call(void);
extern char child_after[];
asm(".text\nchild_call: pushq %rbx; pushq %rbp; pushq %r12; pushq %r13; pushq %r14; pushq %r15; movq %rsp,56+child_in(%rip)\n"
"	movq child_in(%rip),%rax; movq 8+child_in(%rip),%rbx; movq 16+child_in(%rip),%rcx; movq 24+child_in(%rip),%rdx\n"
"	movq 32+child_in(%rip),%rsi; movq 40+child_in(%rip),%rdi; movq 48+child_in(%rip),%rbp; movq 64+child_in(%rip),%r8\n"
"	movq 72+child_in(%rip),%r9; movq 80+child_in(%rip),%r10; movq 88+child_in(%rip),%r11; movq 96+child_in(%rip),%r12\n"
"	movq 104+child_in(%rip),%r13; movq 112+child_in(%rip),%r14; movq 120+child_in(%rip),%r15\n"
"	pushq 128+child_in(%rip); popfq; syscall\n"
"child_after: pushfq; testq %rax,%rax; jz 2f; addq $8,%rsp\n"
"	popq %r15; popq %r14; popq %r13; popq %r12; popq %rbp; popq %rbx; ret\n"
"2:	popq 128+child_out(%rip); movq %rax,child_out(%rip); movq %rbx,8+child_out(%rip); movq %rcx,16+child_out(%rip)\n"
"	movq %rdx,24+child_out(%rip); movq %rsi,32+child_out(%rip); movq %rdi,40+child_out(%rip)\n"
"	movq %rbp,48+child_out(%rip); movq %rsp,56+child_out(%rip); movq %r8,64+child_out(%rip); movq %r9,72+child_out(%rip)\n"
"	movq %r10,80+child_out(%rip); movq %r11,88+child_out(%rip); movq %r12,96+child_out(%rip)\n"
"	movq %r13,104+child_out(%rip); movq %r14,112+child_out(%rip); movq %r15,120+child_out(%rip)\n"
"	leaq child_out(%rip),%rsi; movl child_pipe(%rip),%edi; movl $136,%edx; movl $1,%eax; syscall\n"
"	movl $5,%edi; movl $60,%eax; syscall; hlt\n");
int child_pipe;

int main(void)
{
	static char stack[16384] __attribute__((aligned(16)));
	static struct clone_args args = { .exit_signal = SIGCHLD }, with_stack = { .exit_signal = SIGCHLD, .flags = CLONE_VM,
		.stack = (uint64_t)stack, .stack_size = sizeof(stack) };
	static const char *const names[] = { "fork", "vfork", "clone", "clone with a stack", "clone3", "clone3 with a stack" };
	static const long numbers[] = { SYS_fork, SYS_vfork, SYS_clone, SYS_clone, SYS_clone3, SYS_clone3 };
	int fds[2];
	CHECK(pipe(fds) == 0);
	child_pipe = fds[1];
	for (int again = 0; again < 5; again++)
		for (int way = 0; way < 6; way++) {
			uint64_t got[17];
			struct registers fill;
			fill_registers(&fill, (uint64_t)numbers[way]);
			memcpy(child_in, fill.in, sizeof(child_in));
			child_in[R_FLAGS] = way % 2 ? 0x206 : 0x287;
			child_in[R_RDI] = way >= 4 ? (uint64_t)(way == 5 ? &with_stack : &args) : way == 3 ? CLONE_VM | SIGCHLD : SIGCHLD;
			child_in[R_RSI] = way >= 4 ? sizeof(args) : way == 3 ? (uint64_t)(stack + sizeof(stack)) : 0;
			child_call();
			CHECK(read(fds[0], got, sizeof(got)) == sizeof(got));
			int status;
			CHECK(waitpid(-1, &status, 0) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 5);
			for (int i = 0; i < R_COUNT; i++) {
				uint64_t expected = i == R_RAX ? 0 : i == R_RCX ? (uint64_t)child_after : i == R_R11 ? child_in[R_FLAGS] :
					i == R_RSP && way % 2 && way > 1 ? (uint64_t)(stack + sizeof(stack)) : child_in[i];
				if (got[i] != expected)
					FAIL("%s: %s is %#lx, not %#lx", names[way], register_names[i], got[i], expected);
			}
			if (!again)
				say("%s: registers kept", names[way]);
		}
	return 0;
}
