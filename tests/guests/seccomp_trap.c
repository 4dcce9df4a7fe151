/* seccomp_trap - row 12: SECCOMP_RET_TRAP arrives as the program's SIGSYS: si_code SYS_SECCOMP, its own address, number; the result can be edited */
#include "code.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

static volatile int handled;
static unsigned char *page;

static void on_sigsys(int signo, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	CHECK(signo == SIGSYS && info->si_code == 1);
	CHECK_EQ(info->si_syscall, SYS_getppid);
	CHECK_EQ(info->si_errno, 123);
	CHECK_EQ((unsigned char *)info->si_call_addr - page, 64 * (handled / 3) + CODE_SITE + 2);
	CHECK_EQ(regs[REG_RIP], info->si_call_addr);
	CHECK_EQ(regs[REG_RAX], SYS_getppid);
	regs[REG_RAX] = 4711 + handled++;
}

int main(void)
{
	struct sock_filter code[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP | 123), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog program = { COUNT_OF(code), code };
	page = map_pages(1, PROT_RW);
	for (int i = 0; i < 10; i++)
		put_call(page + 64 * i, SYS_getppid);
	protect(page, 1, PROT_RX);
	handle(SIGSYS, on_sigsys, 0);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
	for (int i = 0; i < 30; i++) {
		CHECK_EQ(call_at(page + 64 * (i / 3), 0, 0, 0), 4711 + i);
		CHECK(raw0(SYS_getuid) == getuid());
	}
	say("%d calls answered by the handler", handled);
	return 0;
}
