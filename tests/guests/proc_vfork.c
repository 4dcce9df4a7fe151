/* proc_vfork - row 14: vfork: the child changes a variable, then _exits or execs; the parent goes on with that value, 50 times */
#include "guest.h"

int main(void)
{
	static volatile int value;
	char *const arguments[] = { "true", NULL }, *const environment[] = { NULL };
	for (int round = 0; round < 50; round++) {
		pid_t child = vfork();
		if (child == 0) {
			value = round + 1;
			if (round % 3 == 0)
				_exit(round);
			if (round % 3 == 1)
				execve("/bin/true", arguments, environment);
			if (round % 3 == 2)
				execve("/nonexistent", arguments, environment);
			_exit(99);
		}
		CHECK(child > 0 && value == round + 1);
		CHECK_EQ(wait_child(child), round % 3 == 0 ? 0x100 | round : round % 3 == 1 ? 0x100 : 0x163);
	}
	say("50 children");
	return 0;
}
