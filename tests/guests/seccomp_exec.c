/* seccomp_exec - rows 15, 19: a program is started under a filter that kills for calls it does not make; twice in a row */
#include "seccomp.h"

int main(int argc, char **argv)
{
	static char *const names[] = { "first", "second", "third" };
	int turn = argc > 1 ? atoi(argv[1]) : 0;
	char text[16];

	CHECK(turn == 0 || raw0(SYS_getuid) == getuid());
	CHECK(getenv("KEPT") == NULL || strcmp(getenv("KEPT"), "a:b") == 0);
	say("%s", names[turn]);
	if (turn == 2)
		return 0;
	if (turn == 0) {
		no_new_privileges();
		REFUSE(SECCOMP_RET_KILL_PROCESS, SYS_process_vm_writev, SYS_membarrier, SYS_sigaltstack);
		setenv("KEPT", "a:b", 1);
	}
	snprintf(text, sizeof(text), "%d", turn + 1);
	execl("/proc/self/exe", argv[0], text, NULL);
	FAIL("exec: %d", errno);
}
