/* signals - signals of many kinds, at 10 kHz and as fast as they can be queued, into threads that make calls
 *
 * Each worker makes calls in a tight loop. A POSIX timer of its own sends it SIGRTMIN+1 every 100 microseconds, the
 * main thread queues SIGRTMIN with a running number, and the process has SIGALRM and SIGPROF timers. All handlers make
 * calls, on an alternate stack; that of SIGRTMIN leaves by siglongjmp now and then.
 *
 * Pass: every queued number arrives once and in order. The expirations that a timer's handlers were told of, overruns
 * included, are never more than are due by the clock, and after the storm there is a moment when they are as many: never,
 * if one was lost. SIGALRM and SIGPROF, which the kernel merges, come, and SIGALRM not more often than
 * its timer expires. Every call gives what it gives without signals.
 */
#include "storm.h"

enum { WORKERS = 2, PERIOD_NS = 100000, QUEUED = 256, SETTLE_SECONDS = 10 };
#define TICK (SIGRTMIN + 1)

struct worker {
	struct storm storm;
	pthread_t thread;
	sigjmp_buf again;
	volatile bool may_jump;
	_Atomic long sent, taken;
	int64_t started;        /* the timer: nanoseconds of CLOCK_MONOTONIC, a period before it first expires */
	volatile long expired, ticks;
	volatile long jumps;
	long calls;
	char stack[64 * 1024];
};

static struct worker workers[WORKERS];
static _Thread_local struct worker *self;
static volatile bool is_over;
static _Atomic long alarms, profiles;
static pid_t parent;
static int null;

static int64_t now_ns(void)
{
	struct timespec t;
	CHECK(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

/* How often the worker's timer has expired by now. */
static long due(const struct worker *w)
{
	return (now_ns() - w->started) / PERIOD_NS;
}

static void on_number(int signal, siginfo_t *info, void *context)
{
	struct worker *w = self;
	(void)signal, (void)context;
	CHECK_EQ(info->si_value.sival_int, (int)(w->taken & 0x7fffffff));
	w->taken++;
	CHECK_EQ(raw0(SYS_getppid), parent);
	if (w->may_jump && storm_below(&w->storm, 64) == 0) {
		w->jumps++;
		siglongjmp(w->again, 1);
	}
}

static void on_tick(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	self->ticks++;
	self->expired += 1 + info->si_overrun;
	CHECK(self->expired <= due(self));
	CHECK_EQ(raw3(SYS_write, null, "tick", 4), 4);
}

static void on_process_timer(int signal, siginfo_t *info, void *context)
{
	(void)info, (void)context;
	(signal == SIGALRM ? &alarms : &profiles)[0]++;
	CHECK_EQ(raw0(SYS_getppid), parent);
}

static void on_all_masked(int signal, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
	sigfillset(&action.sa_mask);   /* a handler that is left by siglongjmp must not leave another behind */
	CHECK(sigaction(signal, &action, NULL) == 0);
}

static void make_calls(struct worker *w, int in, int out)
{
	static const struct timespec moment = { 0, 1000 };
	char byte = 'x';

	w->calls++;
	switch (storm_below(&w->storm, 6)) {
	case 0:
		CHECK_EQ(raw0(SYS_getppid), parent);
		break;
	case 1:
		CHECK_EQ(raw1(SYS_close, -1), -EBADF);
		break;
	case 2: {
		long slept = raw2(SYS_nanosleep, &moment, 0);
		CHECK(slept == 0 || slept == -EINTR);
		break;
	}
	case 3:
		CHECK_EQ(raw3(SYS_lseek, in, 0, SEEK_CUR), -ESPIPE);
		break;
	case 4:
		CHECK_EQ(raw3(SYS_write, null, "call", 4), 4);
		break;
	default:
		/* either may be interrupted and left: the pipe holds a byte more or less, and never blocks for want of one */
		CHECK_EQ(raw3(SYS_write, out, &byte, 1), 1);
		CHECK_EQ(raw3(SYS_read, in, &byte, 1), 1);
	}
}

static timer_t start_timer(struct worker *w)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = TICK };
	struct itimerspec every = { .it_interval = { 0, PERIOD_NS } };
	int64_t first;
	timer_t timer;

	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	w->started = now_ns();
	first = w->started + PERIOD_NS;
	every.it_value = (struct timespec){ first / 1000000000, first % 1000000000 };
	CHECK(timer_settime(timer, TIMER_ABSTIME, &every, NULL) == 0);
	return timer;
}

/* Until no expiration is on its way: one that was lost leaves fewer than are due for ever. */
static void expect_all_expired(const struct worker *w)
{
	double end = now() + SETTLE_SECONDS;
	long told, expected;

	do {
		told = w->expired;
		expected = due(w);
		if (now() > end)
			FAIL("the timer told of %ld expirations, %ld were due", told, expected);
	} while (told != expected || told != w->expired);
}

static void *work(void *argument)
{
	struct worker *w = self = argument;
	stack_t stack = { .ss_sp = w->stack, .ss_size = sizeof(w->stack) };
	struct itimerspec never = { 0 };
	sigset_t none;
	int ends[2];
	timer_t timer;

	CHECK(sigaltstack(&stack, NULL) == 0 && pipe2(ends, O_NONBLOCK) == 0);
	for (int i = 0; i < 100; i++)
		CHECK(write(ends[1], "spare", 5) == 5);
	timer = start_timer(w);
	sigemptyset(&none);
	sigsetjmp(w->again, 0);
	w->may_jump = true;
	CHECK(pthread_sigmask(SIG_SETMASK, &none, NULL) == 0);   /* not before the jump: that would nest without end */
	while (!is_over) {
		while (raw3(SYS_read, ends[0], (char[256]){ 0 }, 256) == 256)
			;   /* what siglongjmp left there */
		(void)raw3(SYS_write, ends[1], (char[128]){ 0 }, 128);
		for (int i = 0; i < 64 && !is_over; i++)
			make_calls(w, ends[0], ends[1]);
	}
	w->may_jump = false;
	expect_all_expired(w);
	CHECK(timer_settime(timer, 0, &never, NULL) == 0);
	while (w->taken != w->sent)
		raw0(SYS_sched_yield);
	CHECK(timer_delete(timer) == 0);
	return NULL;
}

static void send_numbers(struct storm *storm)
{
	while (storm_lasts(storm)) {
		struct worker *w = &workers[storm_below(storm, WORKERS)];
		union sigval value = { .sival_int = (int)(w->sent & 0x7fffffff) };
		int wrong;

		if (w->sent - w->taken >= QUEUED) {
			sched_yield();
			continue;
		}
		w->sent++;
		while ((wrong = pthread_sigqueue(w->thread, SIGRTMIN, value)) == EAGAIN)
			sched_yield();
		CHECK_EQ(wrong, 0);
	}
}

int main(int argc, char **argv)
{
	struct storm storm = storm_begin(argc, argv);
	struct itimerval fast = { { 0, 100 }, { 0, 100 } }, never = { 0 };
	sigset_t mine;
	long numbers = 0, ticks = 0, expired = 0, calls = 0, jumps = 0;
	double began;

	parent = getppid();
	null = open("/dev/null", O_WRONLY);
	on_all_masked(SIGRTMIN, on_number);
	on_all_masked(TICK, on_tick);
	on_all_masked(SIGALRM, on_process_timer);
	on_all_masked(SIGPROF, on_process_timer);
	sigfillset(&mine);
	CHECK(pthread_sigmask(SIG_SETMASK, &mine, NULL) == 0);   /* workers open it when they are ready; we never do */
	for (unsigned i = 0; i < WORKERS; i++) {
		workers[i].storm = storm_part(&storm, i);
		CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
	}
	began = now();
	CHECK(setitimer(ITIMER_REAL, &fast, NULL) == 0 && setitimer(ITIMER_PROF, &fast, NULL) == 0);
	send_numbers(&storm);
	CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0 && setitimer(ITIMER_PROF, &never, NULL) == 0);
	is_over = true;
	for (unsigned i = 0; i < WORKERS; i++) {
		CHECK(pthread_join(workers[i].thread, NULL) == 0);
		CHECK_EQ(workers[i].taken, workers[i].sent);
		numbers += workers[i].taken;
		ticks += workers[i].ticks;
		expired += workers[i].expired;
		calls += workers[i].calls;
		jumps += workers[i].jumps;
	}
	CHECK(alarms > 0 && profiles > 0 && (double)alarms <= (now() - began) * 1e6 / fast.it_interval.tv_usec);
	say("%ld signals accounted for: %ld numbers in order, %ld of timers for %ld expirations; %ld SIGALRM, %ld SIGPROF; "
	    "%ld calls, %ld jumps out of handlers", numbers + ticks, numbers, ticks, expired, (long)alarms, (long)profiles,
	    calls, jumps);
	return 0;
}
