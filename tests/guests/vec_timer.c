/* vec_timer - rows 10, 11: every register of every component survives a timer's handler that uses them all, wherever
 * in a call, in its hook or in between it comes, and finds the program's in its context where that is in the call */
#include "vectors.h"

CODE_PAGE_OF_CALLS(calls, 102);
static struct vectors v, junk;
static volatile int handled, seen;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info;
	if ((uintptr_t)reg(context, REG_RIP) - (uintptr_t)calls < CODE_PAGE)
		vectors_check_view(&v, (void *)((ucontext_t *)context)->uc_mcontext.fpregs), seen++;
	handled++;
	asm volatile("xrstor64 %0" : : "m"(junk.in), "a"((uint32_t)v.mask), "d"((uint32_t)(v.mask >> 32)) : "memory");
	raw0(SYS_getuid);
}

int main(void)
{
	v.mask = junk.mask = vectors_start();
	vectors_fill(&junk, v.mask, 3, false);
	handle(SIGALRM, on_signal, SA_RESTART);
	tick_every(300);
	for (unsigned round = 0; handled < 1000 || seen < 20; round++) {
		bool cave = round & 1;
		vectors_fill(&v, vectors_state(&v, round % 64), round, false);
		v.arg[0] = SYS_getgid;
		v.call = (call_function *)((uintptr_t)calls + round / 8 % 64 * 64 + (cave ? CAVE_AT : 0));
		for (int again = 0; again < 20; again++) {
			vectors_call(&v);
			CHECK_EQ(v.result, cave ? getgid() : getuid());
			vectors_check_loaded(&v);
			vectors_check(&v, v.before, ~0ul, cave ? "cave" : "mov");
		}
	}
	tick_every(0);
	say("components %#lx kept", v.mask);
	return 0;
}
