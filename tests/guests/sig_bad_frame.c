/* sig_bad_frame - rows 11 and 13: a handler returns by a frame with bad extended state: SIGSEGV in the state that the frame
 * describes, its mask and alternate stack included */
#include "guest.h"

static sigjmp_buf back;
static stack_t first, other;

static void on_fault(int signo, siginfo_t *info, void *context)
{
	stack_t now;
	(void)signo;
	sigaltstack(NULL, &now);
	say("code %d, SIGUSR2 blocked %d, stack %ld, shown %ld", info->si_code,
	    sigismember(&((ucontext_t *)context)->uc_sigmask, SIGUSR2), (long)now.ss_size,
	    (long)((ucontext_t *)context)->uc_stack.ss_size);
	siglongjmp(back, 1);
}

static void on_signal(int signo, siginfo_t *info, void *context)
{
	ucontext_t *c = context;
	(void)signo, (void)info;
	sigaddset(&c->uc_sigmask, SIGUSR2);
	c->uc_stack = other;
	c->uc_mcontext.fpregs = (void *)0x10UL;
}

int main(void)
{
	first.ss_sp = other.ss_sp = malloc(65536), first.ss_size = 65536, other.ss_size = 32768;
	handle(SIGSEGV, on_fault, 0), handle(SIGUSR1, on_signal, 0);
	for (int i = 0; i < 3; i++) {
		sigaltstack(&first, NULL);
		if (sigsetjmp(back, 1) == 0) {
			raise(SIGUSR1);
			FAIL("came back");
		}
	}
	return 0;
}
