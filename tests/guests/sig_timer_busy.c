/* sig_timer_busy - issue 2.4, program code: a timer's handler interrupts a busy loop */
#include "guest.h"

static volatile sig_atomic_t ticks;

static void on_tick(int signo, siginfo_t *info, void *context)
{
	CHECK(signo == SIGALRM && info->si_code == SI_KERNEL && context);
	ticks++;
}

int main(void)
{
	handle(SIGALRM, on_tick, 0);
	tick_every(1000);
	unsigned long sum = 0;
	while (ticks < 100)
		sum++;
	tick_every(0);
	alarm(1);
	int seen = ticks;
	while (ticks == seen)
		sum++;
	say("100 ticks and an alarm");
	return sum == 0;
}
