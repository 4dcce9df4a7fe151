/* jump_clone - issue 5, row 14: clone, fork and vfork made by mov and by cave; the children go on right, with
 * calls of both kinds */
#include "jump.h"

MOV_CALL(mov_getuid, 102);
CAVE_CALL(cave);
/* The child comes back at the same site: it must find its own registers. */
#define MAKE(number) "pushq %rbx; movabsq $0x123456789abc,%rbx; movl %esi,%edi; xorl %esi,%esi; xorl %edx,%edx\n" \
	"xorl %r10d,%r10d; xorl %r8d,%r8d; " number "syscall\n" PADDING "movabsq $0x123456789abc,%rdx; cmpq %rdx,%rbx\n" \
	"je 1f; ud2\n1: popq %rbx; ret"
FUNCTION(mov_fork, MAKE("movl $57,%eax; "));
FUNCTION(mov_clone, MAKE("movl $56,%eax; "));
FUNCTION(cave_make, "movl %edi,%r9d; " MAKE("movl %r9d,%eax; "));
/* The return address of a vfork's caller is kept in a register, for the child overwrites the stack. */
FUNCTION(mov_vfork, "popq %rdx; movl $58,%eax; syscall; pushq %rdx; ret");
FUNCTION(cave_vfork, "popq %rdx; movl %edi,%eax; syscall; pushq %rdx; ret");
extern call_function mov_fork, mov_clone, cave_make;
extern __attribute__((returns_twice)) long mov_vfork(long nr), cave_vfork(long nr);

static _Noreturn void in_child(int status)
{
	for (int again = 0; again < 3; again++)
		if (mov_getuid(0, 0, 0) != (long)getuid() || cave(500, 0, 0, 0) != -ENOSYS)
			cave(SYS_exit_group, 99, 0, 0);
	cave(SYS_exit_group, status, 0, 0);
	__builtin_trap();
}

static long make(int kind)
{
	return kind == 0 ? mov_fork(0, 0, 0) : kind == 1 ? mov_clone(0, SIGCHLD, 0) :
		cave_make(kind == 2 ? SYS_fork : SYS_clone, SIGCHLD, 0);
}

int main(void)
{
	for (volatile int round = 0; round < 40; round++) {
		long child = round % 6 == 4 ? mov_vfork(0) : round % 6 == 5 ? cave_vfork(SYS_vfork) : make(round % 6);
		if (child == 0)
			in_child(round);
		CHECK(child > 0);
		CHECK_EQ(wait_child((pid_t)child), 0x100 | round);
		CHECK(mov_getuid(0, 0, 0) == getuid() && cave(500, 0, 0, 0) == -ENOSYS);
	}
	say("40 children");
	return 0;
}
