/* proc_vfork_deep - row 14: the child of vfork returns from functions, calls others, makes many calls, a vfork of its own, dies by a signal. needs the real getpid */
#include "guest.h"

static int depth;

__attribute__((noinline)) static int use_stack(int levels)
{
	volatile char block[512];
	memset((char *)block, levels, sizeof(block));
	CHECK(raw0(SYS_getuid) == getuid());
	return levels ? use_stack(levels - 1) + block[0] : 0;
}

int main(void)
{
	for (volatile int round = 0; round < 20; round++) {
		volatile long kept = 0x1234567 + round;
		pid_t child = vfork();
		if (child == 0) {
			use_stack(20);
			depth++;
			pid_t grandchild = vfork();
			if (grandchild == 0) {
				use_stack(10);
				depth++;
				_exit(5);
			}
			int status = wait_child(grandchild);
			if (round % 2)
				syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), SIGKILL);
			_exit(status & 0xff);
		}
		CHECK(kept == 0x1234567 + round && use_stack(5) > 0);
		CHECK_EQ(wait_child(child), round % 2 ? 0x209 : 0x105);
	}
	say("depth %d", depth);
	return 0;
}
