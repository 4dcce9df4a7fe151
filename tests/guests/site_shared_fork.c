/* site_shared_fork - row 8: code in memory that is shared with a child, which runs it first; then the parent does */
#include "code.h"
#include <sys/shm.h>

static void run_in_both(const char *name, unsigned char *code)
{
	CHECK(code != MAP_FAILED);
	put_variable_call(memset(code, 0x90, CODE_PAGE) + 256); /* the number is in a register: a rewritten copy has no mov */
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		CHECK_EQ(call_at(code + 256, SYS_getuid, 0, 0), getuid());
		_exit(0);
	}
	CHECK_EQ(wait_child(child), 0x100);
	CHECK_EQ(call_at(code + 256, SYS_getuid, 0, 0), getuid());
	say("%s: called", name);
}

int main(void)
{
	run_in_both("anonymous", mmap(NULL, CODE_PAGE, PROT_RWX, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	int id = shmget(IPC_PRIVATE, CODE_PAGE, IPC_CREAT | 0700);
	if (id < 0)
		SKIP("no System V shared memory");
	unsigned char *code = shmat(id, NULL, SHM_EXEC);
	shmctl(id, IPC_RMID, NULL);
	run_in_both("System V", code);
	return 0;
}
