/* vdso_unwind - row 23: a handler that interrupts a function of the vDSO unwinds to its caller. GUEST_TICKS: how often */
#include "vdso.h"
#include <unwind.h>

static struct vdso vdso;
static volatile int ticks, lost;

struct search { uintptr_t caller; int frames; bool is_found; };

static _Unwind_Reason_Code look(struct _Unwind_Context *context, void *data)
{
	struct search *search = data;
	uintptr_t function = _Unwind_GetRegionStart(context);
	search->frames++;
	search->is_found |= function == search->caller;
	return search->frames > 50 ? _URC_END_OF_STACK : _URC_NO_REASON;
}

__attribute__((noinline)) static void call_functions(int until)
{
	struct timespec time;
	struct timeval day;
	while (ticks < until) {
		vdso.clock_gettime(CLOCK_MONOTONIC, &time);
		vdso.gettimeofday(&day, NULL);
	}
}

static void on_alarm(int signal, siginfo_t *info, void *context)
{
	struct search search = { (uintptr_t)call_functions, 0, false };
	uintptr_t pc = (uintptr_t)reg(context, REG_RIP);
	(void)signal, (void)info;
	if (pc < vdso.start || pc >= vdso.end)
		return;
	_Unwind_Backtrace(look, &search);
	lost += !search.is_found;
	ticks = ticks + 1;
}

int main(void)
{
	const char *more = getenv("GUEST_TICKS");
	find_vdso(&vdso);
	handle(SIGALRM, on_alarm, 0);
	tick_every(200);
	call_functions(more ? atoi(more) : 300);
	tick_every(0);
	CHECK_EQ(lost, 0);
	say("found each time");
	return 0;
}
