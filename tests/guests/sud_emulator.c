/* sud_emulator - row 18: a small emulator: every call outside its own code, libc's included, is caught by SIGSYS,
 * without a selector; it answers getpid itself, and makes the others from the range that passes */
#include "dispatch.h"

enum { PID = 123456 };
static volatile int caught;
static char alternate[1 << 16];

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	(void)signal;
	caught++;
	r[REG_RAX] = info->si_syscall == SYS_getpid ? PID :
		allowed_call(r[REG_RAX], r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8], r[REG_R9]);
}

int main(void)
{
	char line[64];
	int before, pipe_ends[2];
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	need_dispatch();
	CHECK(sigaltstack(&stack, NULL) == 0);
	handle_allowed(SIGSYS, on_sigsys, SA_ONSTACK);
	CHECK_EQ(dispatch_outside_allowed(NULL), 0);
	for (int i = 0; i < 20; i++) {
		before = caught;
		CHECK_EQ(getpid(), PID);
		CHECK_EQ(raw0(SYS_getuid), getuid());
		CHECK_EQ(caught, before + 3);
	}
	CHECK(pipe(pipe_ends) == 0 && write(pipe_ends[1], "through a pipe", 14) == 14);
	CHECK(read(pipe_ends[0], line, sizeof(line)) == 14);
	before = caught;
	say("%.14s", line);
	CHECK_EQ(caught, before + 1);
	CHECK(close(-1) == -1 && errno == EBADF);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	CHECK_EQ(dispatch(DISPATCH_OFF, 0, 0, NULL), 0);   /* emulated: off from here on */
	before = caught;
	CHECK(getpid() != PID && caught == before);
	say("off");
	return 0;
}
