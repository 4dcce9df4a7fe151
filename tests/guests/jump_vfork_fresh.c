/* jump_vfork_fresh - issue 5, row 14: vfork's children, and children with CLONE_VM, meet fresh sites in the
 * parent's memory; then the parent does */
#include "jump.h"

CODE_PAGE_OF_CALLS(page, 102);
static char stack[65536] __attribute__((aligned(64)));

static int calls(void *argument)
{
	long i = (long)argument;
	for (int again = 0; again < 3; again++)
		if (mov_in(page, (int)i, 0, 0, 0) != (long)getuid() || cave_in(page, (int)i, 500, 0, 0, 0) != -ENOSYS)
			return 1;
	return 7;
}

int main(void)
{
	for (volatile int round = 0; round < CALLS; round++) {
		pid_t child;
		if (round % 2) {
			child = clone(calls, stack + sizeof(stack), CLONE_VM | SIGCHLD, (void *)(long)round);
		} else {
			child = vfork();
			if (child == 0)
				_exit(calls((void *)(long)round));
		}
		CHECK(child > 0);
		CHECK_EQ(wait_child(child), 0x107);
		CHECK_EQ(calls((void *)(long)round), 7);
	}
	run_page(page, CALLS);
	say("%d children", CALLS);
	return 0;
}
