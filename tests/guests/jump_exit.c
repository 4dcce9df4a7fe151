/* jump_exit - issue 5, row 16: a process ends by a call with a cave, or a mov, before it, with no stack and with
 * none that exists */
#include "jump.h"

#define LEAVE(number) "movq %rsi,%rsp; movl %edi,%r8d; xorl %ebp,%ebp\n" number "syscall; hlt; ret; .p2align 4"
FUNCTION(mov_exit_group, LEAVE("movl $231,%eax; "));
FUNCTION(mov_exit, LEAVE("movl $60,%eax; "));
FUNCTION(cave_exit, LEAVE("movl %edx,%eax; "));
extern call_function mov_exit_group, mov_exit, cave_exit;

int main(void)
{
	static void *const stacks[] = { NULL, (void *)0x8000000000000000, (void *)4096, (void *)-1 };
	for (int round = 0; round < 48; round++) {
		long stack = (long)stacks[round / 4 % 4];
		pid_t child = fork();
		if (child == 0) {
			if (round % 4 == 0)
				mov_exit_group(round, stack, 0);
			if (round % 4 == 1)
				mov_exit(round, stack, 0);
			cave_exit(round, stack, round % 4 == 2 ? SYS_exit : SYS_exit_group);
		}
		CHECK_EQ(wait_child(child), 0x100 | round);
	}
	say("48 children");
	return 0;
}
