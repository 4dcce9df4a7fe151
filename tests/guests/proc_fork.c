/* proc_fork - row 14: fork, with calls at sites known and new in parent, child and grandchild; statuses arrive. needs the real getpid */
#include "code.h"

static unsigned char *page;

static int descend(int level)
{
	CHECK(call_at(page + 64 * level, 0, 0, 0) == getuid());
	if (level == 8)
		return 100;
	pid_t child = fork();
	if (child == 0)
		_exit(descend(level + 1));
	int status = wait_child(child);
	CHECK(call_at(page + 64 * (20 + level), 0, 0, 0) == getuid() && getpid() == raw0(SYS_getpid));
	CHECK((status & 0xf00) == 0x100);
	return (status & 0xff) + 1;
}

int main(void)
{
	page = map_pages(1, PROT_RW);
	for (int i = 0; i < 60; i++)
		put_call(page + 64 * i, SYS_getuid);
	protect(page, 1, PROT_RX);
	CHECK(call_at(page, 0, 0, 0) == getuid());
	say("levels: %d", descend(0));
	for (int round = 0; round < 50; round++) {
		pid_t child = fork();
		if (child == 0)
			round % 2 ? _exit(round) : (void)raise(SIGKILL);
		CHECK_EQ(wait_child(child), round % 2 ? 0x100 | round : 0x209);
	}
	return 0;
}
