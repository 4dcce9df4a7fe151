/* sig_context_pc - row 13: interrupting a blocked call: pc at the site (restart) or after it (EINTR), rsp, rcx, r11 the program's.
 * needs the real getpid */
#include "blocked.h"
#include <sys/socket.h>

static int fds[2];
static bool restarting;
long call_rsp;
extern char call_site[], call_after[];

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info;
	CHECK_EQ(reg(context, REG_RIP) - (long)call_site, restarting ? 0 : 2);
	CHECK_EQ(reg(context, REG_RAX), restarting ? SYS_recvfrom : -EINTR);
	CHECK_EQ(reg(context, REG_RSP), call_rsp);
	CHECK_EQ(reg(context, REG_RCX), call_after);
	CHECK_EQ(reg(context, REG_R11), reg(context, REG_EFL));
	CHECK_EQ(reg(context, REG_RDI), fds[0]);
	CHECK_EQ(reg(context, REG_RDX), 1);
	CHECK_EQ(reg(context, REG_RBX), 0x123456789abc);
	/* nothing is pushed above the red zone */
	CHECK_EQ(*(long *)(call_rsp - 8), 0x600d600d);
}

static void feed(void)
{
	CHECK(write(fds[1], "x", 1) == 1);
}

__attribute__((noinline)) static long receive(int fd, char *byte)
{
	register long r10 asm("r10") = 0, r8 asm("r8") = 0, r9 asm("r9") = 0;
	long result;
	asm volatile("subq $256,%%rsp; movq $0x600d600d,-8(%%rsp); movq %%rsp,call_rsp(%%rip); movabsq $0x123456789abc,%%rbx\n"
		".globl call_site, call_after\ncall_site: syscall\ncall_after: addq $256,%%rsp"
		: "=a"(result) : "0"(SYS_recvfrom), "D"((long)fd), "S"(byte), "d"(1L), "r"(r10), "r"(r8), "r"(r9)
		: "rbx", "rcx", "r11", "memory");
	return result;
}

int main(void)
{
	char byte;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	for (int round = 0; round < 10; round++) {
		restarting = round % 2;
		handle(SIGUSR1, on_signal, restarting ? SA_RESTART : 0);
		pthread_t thread = start_poke(&(struct poke){ SIGUSR1, restarting ? feed : NULL });
		CHECK_EQ(receive(fds[0], &byte), restarting ? 1 : -EINTR);
		pthread_join(thread, NULL);
	}
	say("pc, rsp and registers are the program's");
	return 0;
}
