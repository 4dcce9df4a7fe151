/* seccomp_narrow - row 19: under a filter that kills for all but a few calls, known and fresh sites still work */
#include "code.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

int main(void)
{
	struct sock_filter code[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getuid, 3, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 1, 0), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog program = { COUNT_OF(code), code };
	unsigned char *page = map_pages(3, PROT_RW);
	for (int i = 0; i < 60; i++)
		put_call(page + 120 * i, SYS_getuid);
	put_call(page + 2 * CODE_PAGE - 6, SYS_getuid); /* across pages */
	protect(page, 3, PROT_RX);
	long uid = getuid();
	for (int i = 0; i < 30; i++)
		CHECK_EQ(call_at(page + 120 * i, 0, 0, 0), uid);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
	for (int again = 0; again < 3; again++)
		for (int i = 0; i < 60; i++)
			CHECK_EQ(call_at(page + 120 * i, 0, 0, 0), uid);
	CHECK_EQ(call_at(page + 2 * CODE_PAGE - 6, 0, 0, 0), uid);
	say("all called");
	_exit(0);
}
