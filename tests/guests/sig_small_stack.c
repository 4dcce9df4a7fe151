/* sig_small_stack - row 16: a handler on a stack of SIGSTKSZ size next to an unmapped page, calls on a 4 KiB stack of one's own. needs the real getpid */
#include "code.h"
#include <sys/auxv.h>

static volatile int handled;
static ucontext_t main_context, own_context;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info, (void)context;
	CHECK(raw0(SYS_getuid) == getuid());
	handled++;
}

static void coroutine(void)
{
	for (int i = 0; i < 10; i++) {
		CHECK(raw0(SYS_getuid) == getuid());
		swapcontext(&own_context, &main_context);
	}
}

int main(void)
{
	size_t size = getauxval(AT_MINSIGSTKSZ) + 2048;
	size = (size + 4095) & ~4095UL;
	unsigned char *stack = map_pages(8, PROT_RW);
	protect(stack, 1, PROT_NONE);
	stack_t set = { .ss_sp = stack + CODE_PAGE, .ss_size = size };
	CHECK(size < 7 * CODE_PAGE && sigaltstack(&set, NULL) == 0);
	handle(SIGUSR1, on_signal, SA_ONSTACK);
	for (int i = 0; i < 20; i++)
		raise(SIGUSR1);
	unsigned char *own = map_pages(2, PROT_RW);
	protect(own, 1, PROT_NONE);
	getcontext(&own_context);
	own_context.uc_stack = (stack_t){ .ss_sp = own + CODE_PAGE, .ss_size = CODE_PAGE };
	makecontext(&own_context, coroutine, 0);
	for (int i = 0; i < 10; i++) {
		swapcontext(&main_context, &own_context);
		raise(SIGUSR1);
	}
	say("%d handlers, 10 switches", handled);
	return 0;
}
