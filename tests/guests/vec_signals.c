/* vec_signals - rows 10, 11, 13: a handler that uses every component finds the program's registers in its context, and
 * its edit of one component there is honoured: of a blocked call that ends with EINTR, of one that is made again, and
 * at the end of a call. needs the real getpid */
#include "vectors.h"
#include "blocked.h"

enum { ENDS, RESTARTS, AT_END, KINDS };
CODE_PAGE_OF_CALLS(calls, 0);   /* read */
MOV_CALL(mov_call, 102);
static struct vectors v, junk, edit;
static volatile int handled;
static int pipes[2], kind, edited;   /* edited: a component, or -1 */

static void on_signal(int signo, siginfo_t *info, void *context)
{
	unsigned char *state = (void *)((ucontext_t *)context)->uc_mcontext.fpregs;
	unsigned mxcsr;
	unsigned short control;
	(void)signo, (void)info;
	asm volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr), "=m"(control));
	CHECK(mxcsr == 0x1f80 && control == 0x37f);
	vectors_check_view(&v, state);
	if (edited >= 0) {
		vectors_take(state, edit.before, (unsigned)edited);
		state[IN_USE_AT + edited / 8] |= (unsigned char)(1 << edited % 8);
	}
	CHECK(kind != RESTARTS || write(pipes[1], "", 1) == 1);
	handled++;
	asm volatile("xrstor64 %0" : : "m"(junk.in), "a"((uint32_t)v.mask), "d"((uint32_t)(v.mask >> 32)) : "memory");
	raw0(SYS_getuid);   /* and then rt_sigreturn */
}

static void try(unsigned round)
{
	static unsigned char expected[VECTORS_AREA];
	char byte;
	int before = handled;
	bool cave = kind == AT_END || round & 1;
	v.call = (call_function *)((uintptr_t)calls + 64 * (round % 64) + (cave ? CAVE_AT : 0));
	handle(SIGUSR1, on_signal, kind == RESTARTS ? SA_RESTART : 0);
	if (kind == AT_END) {
		memcpy(v.arg, (long[]){ SYS_tkill, gettid(), SIGUSR1 }, 3 * sizeof(long));
		vectors_call(&v);
	} else {
		memcpy(v.arg, (long[]){ SYS_read, pipes[0], (long)&byte, 1 } + !cave, 3 * sizeof(long));
		v.arg[3] = 1;
		pthread_t thread = start_poke(&(struct poke){ SIGUSR1, NULL });
		vectors_call(&v);
		pthread_join(thread, NULL);
	}
	CHECK_EQ(v.result, kind == AT_END ? 0 : kind == RESTARTS ? 1 : -EINTR);
	CHECK_EQ(handled, before + 1);
	vectors_check_loaded(&v);
	memcpy(expected, v.before, sizeof(expected));
	if (edited >= 0)
		vectors_take(expected, edit.before, (unsigned)edited);
	vectors_check(&v, expected, ~0ul, kind == AT_END ? "at the end" : kind == RESTARTS ? "made again" : "EINTR");
}

int main(void)
{
	v.mask = junk.mask = edit.mask = vectors_start();
	CHECK(pipe(pipes) == 0);
	vectors_fill(&junk, v.mask, 3, false);
	vectors_fill(&edit, v.mask, 104, false);
	edit.call = mov_call, vectors_call(&edit);
	for (unsigned round = 0, next = 0; round < 3 * 64; round++) {
		kind = (int)(round % KINDS);
		do
			edited = (int)(next++ % (COMPONENTS + 1)) - 1;
		while (edited >= 0 && !(v.mask & ~AMX & BIT(edited)));   /* tiles mean nothing without their configuration */
		vectors_fill(&v, vectors_state(&v, round * 11 % 64), round, false);
		try(round);
	}
	say("components %#lx seen, kept and edited", v.mask);
	return 0;
}
