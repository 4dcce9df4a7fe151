/* sig_edit_context - row 13: a handler edits rip, rax and others in the ucontext of a busy loop and of a blocked read; all is honoured.
 * needs the real getpid */
#include "blocked.h"

static int mode, full[2], empty[2];
extern char spin_out[], read_out[], read_site[];

static void on_signal(int signo, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	(void)signo, (void)info;
	if (mode == 0)
		regs[REG_RIP] = (long)spin_out, regs[REG_RAX] = 0x1234567812345678, regs[REG_RBX] = 99, mode = -1;
	else if (mode == -1)
		return;                                                    /* a tick that came before the last one was off */
	else if (mode == 1)
		regs[REG_RIP] = (long)read_out, regs[REG_RAX] = 4711;      /* give the call up */
	else if (mode == 2)
		regs[REG_RDI] = full[0];                                   /* restart it with another descriptor */
	else if (mode == 3)
		regs[REG_RAX] = 1234;                                      /* another result instead of EINTR */
	else
		regs[REG_RIP] = (long)read_site, regs[REG_RAX] = SYS_getuid;   /* another call instead */
}

__attribute__((noinline)) static long read_byte(int fd, char *byte)
{
	long result;
	asm volatile(".globl read_out, read_site\n read_site: syscall\n jmp 1f; nop\n read_out: addq $1,%%rax\n1:"
		: "=a"(result) : "0"(SYS_read), "D"((long)fd), "S"(byte), "d"(1L) : "rcx", "r11", "memory");
	return result;
}

int main(void)
{
	long rax = 0, rbx = 0;
	char byte = 0;
	CHECK(pipe(full) == 0 && pipe(empty) == 0 && write(full[1], "ab", 2) == 2);
	handle(SIGALRM, on_signal, 0);
	tick_every(2000);
	asm volatile("1: jmp 1b\n.globl spin_out\nspin_out:" : "+a"(rax), "+b"(rbx) : : "cc", "memory");
	tick_every(0);
	CHECK(rax == 0x1234567812345678 && rbx == 99);
	for (mode = 1; mode < 5; mode++) {
		handle(SIGUSR1, on_signal, mode == 2 ? SA_RESTART : 0);
		pthread_t thread = start_poke(&(struct poke){ SIGUSR1, NULL });
		long result = read_byte(empty[0], &byte);
		CHECK_EQ(result, mode == 1 ? 4712 : mode == 2 ? 1 : mode == 3 ? 1234 : (long)getuid());
		pthread_join(thread, NULL);
	}
	CHECK(byte == 'a');
	say("all edits honoured");
	return 0;
}
