/* regs_direction_timer - rows 10, 11: signals strike while calls are made with the direction flag set: each call has its
 * own result, and no register is lost */
#include "guest.h"

enum { CALLS = 150000 };
static volatile long ticks;

static void on_tick(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
	ticks++;
}

static long call_backwards(long nr, long *kept)
{
	register long r8 asm("r8") = *kept;
	long result;
	asm volatile("std; syscall; cld" : "=a"(result), "+r"(r8) : "0"(nr) : "rcx", "r11", "memory", "cc");
	*kept = r8;
	return result;
}

int main(void)
{
	const long number[] = { SYS_getpid, SYS_getppid }, expected[] = { getpid(), getppid() };
	handle(SIGALRM, on_tick, SA_RESTART);
	tick_every(50);
	for (long i = 0; i < CALLS; i++) {
		long kept = i;
		CHECK_EQ(call_backwards(number[i & 1], &kept), expected[i & 1]);
		CHECK_EQ(kept, i);
	}
	tick_every(0);
	CHECK(ticks > 0);
	say("%d calls", CALLS);
	return 0;
}
