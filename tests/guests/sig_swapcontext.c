/* sig_swapcontext - signals.md section 7: a handler that interrupted a call switches to another context and back, as preemptive coroutines do */
#include "guest.h"

static ucontext_t scheduler, worker[2];
static volatile int current, switches, in_worker;
static int fd;
static long calls[2];

static void on_tick(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info, (void)context;
	if (!in_worker)
		return;
	in_worker = 0;
	swapcontext(&worker[current], &scheduler);
}

static void work(int number)
{
	for (;;) {
		CHECK_EQ(raw3(SYS_lseek, fd + number, 1, SEEK_CUR), ++calls[number]);
		in_worker = 1;
	}
}

int main(void)
{
	static char stacks[2][65536];
	sigset_t block, old;
	fd = memfd_create("a", 0);
	CHECK(memfd_create("b", 0) == fd + 1);
	handle(SIGALRM, on_tick, SA_RESTART);
	for (int i = 0; i < 2; i++) {
		getcontext(&worker[i]);
		worker[i].uc_stack = (stack_t){ .ss_sp = stacks[i], .ss_size = sizeof(stacks[i]) };
		makecontext(&worker[i], (void (*)(void))work, 1, i);
	}
	sigemptyset(&block), sigaddset(&block, SIGALRM);
	sigprocmask(SIG_BLOCK, &block, &old);
	tick_every(300);
	for (; switches < 500; switches++) {
		current = switches % 2;
		swapcontext(&scheduler, &worker[current]);
		sigprocmask(SIG_BLOCK, &block, NULL);
	}
	tick_every(0);
	CHECK(calls[0] > 0 && calls[1] > 0);
	say("%d switches", switches);
	return 0;
}
