/* clock.c - a hook that shifts and scales the time of a whole program
 *
 *     ZLAZY_VDSO=hook zlazy --hook clock.so:shift=-86400 date              date says yesterday
 *     ZLAZY_VDSO=hook zlazy --hook clock.so:shift=3600,scale=10 program    an hour ahead, and ten times as fast
 *
 * A clock that said `origin` when the run began and says `now` is read as origin + (now - origin) * scale; clocks of wall
 * time have `shift` seconds added. Times that the program gives to the kernel, to wait for or to set a timer, are
 * converted back, rounded up, and what the kernel returns of them is converted again: the program is in time with
 * itself. Programs that it executes keep its origin: CLOCK_ORIGIN in their environment passes it on.
 *
 * Not converted: CPU clocks and their timers; times of files; /proc, sysinfo and times; what sets or adjusts clocks;
 * SO_RCVTIMEO and SO_SNDTIMEO; io_uring; rdtsc. poll, epoll_wait and epoll_pwait wait for whole milliseconds of the
 * kernel's.
 */
#define _GNU_SOURCE
#include <zlazy/zlazy.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { EPOLL_PWAIT2 = 441, FUTEX_WAITV = 449, FUTEX_WAIT_CALL = 455, LOCK_PI2 = 13 };   /* newer than some headers */
enum { CLOCKS = 12, TIMERS = 4096, VARIABLES = 4096, RELATIVE = -1, NONE = -1 };
enum unit { NANOSECONDS = 1, MICROSECONDS = 1000 };   /* of the second half of a timespec, a timeval */
#define SECOND 1000000000LL
#define FOREVER (1LL << 62)

/* What is done with one system call: `time` is the argument that points to the time to wait for, or the timer's new
 * setting; `left` the one by which the kernel tells what is left, or the old setting. */
struct rule {
	short number;
	bool is_for_scale;        /* nothing to do when times are only shifted */
	long (*act)(struct zlazy_call *call, const struct rule *rule);
	signed char time, left;
	enum unit unit;
};

static const struct zlazy_api *api;
static long double scale = 1, shift;   /* shift: in nanoseconds */
static int64_t origin[CLOCKS];
static char origin_variable[64];
static signed char timer_clocks[TIMERS];   /* of timer_create(), by id */

static bool is_ours(int clock)
{
	return clock >= 0 && clock < CLOCKS && clock != CLOCK_PROCESS_CPUTIME_ID && clock != CLOCK_THREAD_CPUTIME_ID;
}

static long double shift_of(int clock)
{
	bool is_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_REALTIME_ALARM ||
		       clock == CLOCK_TAI;
	return is_wall ? shift : 0;
}

static int64_t limit(long double time)
{
	return time >= (long double)FOREVER ? FOREVER : (int64_t)time;
}

/* A point in time of a clock, or a span (RELATIVE), as the program and as the kernel have it; in nanoseconds. */
static int64_t to_program(int clock, int64_t time)
{
	if (clock == RELATIVE)
		return limit(time * scale);
	return limit(origin[clock] + (time - origin[clock]) * scale + shift_of(clock));
}

static int64_t to_kernel(int clock, int64_t time)
{
	long double result = time / scale;

	if (time == 0 || time == FOREVER)   /* 0 stops a timer */
		return time;
	if (clock != RELATIVE)
		result = origin[clock] + (time - origin[clock] - shift_of(clock)) / scale;
	if (result < 1)
		return 1;
	return limit(result) + (limit(result) < result);
}

/* The program's memory, where its pointer may be wrong: then false. */
static bool fetch(void *to, long from, size_t size)
{
	struct iovec here = { to, size }, there = { (void *)from, size };
	return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == (ssize_t)size;
}

static bool store(long to, void *from, size_t size)
{
	struct iovec here = { from, size }, there = { (void *)to, size };
	return process_vm_writev(getpid(), &here, 1, &there, 1, 0) == (ssize_t)size;
}

/* One time as in struct timespec or timeval, or two as in struct itimerspec or itimerval: interval and value. */
struct times { struct { int64_t seconds, rest; } time[2]; };

static int64_t get(const struct times *times, size_t i, enum unit unit)
{
	int64_t seconds = times->time[i].seconds;
	return seconds >= FOREVER / SECOND ? FOREVER : seconds * SECOND + times->time[i].rest * unit;
}

static void put(struct times *times, size_t i, enum unit unit, int64_t time)
{
	times->time[i].seconds = time / SECOND;
	times->time[i].rest = time % SECOND / unit;
}

/* Copy the program's times, converted for the kernel. False if they are missing or wrong, which the kernel will say. */
static bool take(struct times *times, size_t count, long from, enum unit unit, int clock)
{
	if (from == 0 || !fetch(times, from, count * sizeof times->time[0]))
		return false;
	for (size_t i = 0; i < count; i++)
		if (times->time[i].seconds < 0 || times->time[i].rest < 0 || times->time[i].rest >= SECOND / unit)
			return false;
	for (size_t i = 0; i < count; i++)   /* an interval is never absolute */
		put(times, i, unit, to_kernel(i + 1 < count ? RELATIVE : clock, get(times, i, unit)) + unit - 1);
	return true;
}

/* Spans that the kernel has answered, converted and given to the program. */
static bool give(struct times *times, size_t count, long to, enum unit unit)
{
	for (size_t i = 0; i < count; i++)
		put(times, i, unit, to_program(RELATIVE, get(times, i, unit)));
	return store(to, times, count * sizeof times->time[0]);
}

static int64_t now(int clock)
{
	struct timespec time = { 0 };
	clock_gettime(clock, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

/* The kernel has just written to the program's structure, so the pointer is good. */
static long read_time(struct zlazy_call *call, struct times *time, enum unit unit, int clock)
{
	long result = api->next(call);

	if (result == 0 && time != NULL && is_ours(clock))
		put(time, 0, unit, to_program(clock, get(time, 0, unit)));
	return result;
}

static long read_clock(struct zlazy_call *call, const struct rule *rule)
{
	return read_time(call, (struct times *)call->arg[1], rule->unit, (int)call->arg[0]);
}

static long read_day(struct zlazy_call *call, const struct rule *rule)
{
	return read_time(call, (struct times *)call->arg[0], rule->unit, CLOCK_REALTIME);
}

static long read_seconds(struct zlazy_call *call, const struct rule *rule)
{
	long result = api->next(call);

	(void)rule;
	if (result < 0)
		return result;
	result = to_program(CLOCK_REALTIME, now(CLOCK_REALTIME)) / SECOND;
	if (call->arg[0] != 0)
		*(long *)call->arg[0] = result;
	return result;
}

/* Where the kernel tells what is left, it does so in the same place, or in another one when it is interrupted. */
static long wait_by(struct zlazy_call *call, const struct rule *rule, int clock)
{
	bool has_left = rule->left != NONE && clock == RELATIVE, is_same = rule->left == rule->time;
	long left_at = has_left ? call->arg[rule->left] : 0, result;
	struct times time, left;

	if ((clock != RELATIVE && !is_ours(clock)) || !take(&time, 1, call->arg[rule->time], rule->unit, clock))
		return api->next(call);
	left = time;
	call->arg[rule->time] = (long)&time;
	if (left_at != 0 && !is_same)
		call->arg[rule->left] = (long)&left;
	result = api->next(call);
	if (left_at != 0 && (is_same ? result != ZLAZY_INTERRUPTED : result == -EINTR))
		give(is_same ? &time : &left, 1, left_at, rule->unit);
	return result;
}

static long wait_span(struct zlazy_call *call, const struct rule *rule)
{
	return wait_by(call, rule, RELATIVE);
}

static long wait_wall(struct zlazy_call *call, const struct rule *rule)
{
	return wait_by(call, rule, CLOCK_REALTIME);
}

/* The clock is the argument after the time. */
static long wait_clock(struct zlazy_call *call, const struct rule *rule)
{
	return wait_by(call, rule, (int)call->arg[rule->time + 1]);
}

static long sleep_clock(struct zlazy_call *call, const struct rule *rule)
{
	int clock = (int)call->arg[0];
	return wait_by(call, rule, is_ours(clock) && !(call->arg[1] & TIMER_ABSTIME) ? RELATIVE : clock);
}

static long wait_futex(struct zlazy_call *call, const struct rule *rule)
{
	switch (call->arg[1] & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
		return wait_by(call, rule, RELATIVE);
	case FUTEX_LOCK_PI:
		return wait_by(call, rule, CLOCK_REALTIME);
	case LOCK_PI2:
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAIT_REQUEUE_PI:
		return wait_by(call, rule, call->arg[1] & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC);
	default:
		return api->next(call);
	}
}

static long wait_milliseconds(struct zlazy_call *call, const struct rule *rule)
{
	enum { MILLION = 1000000 };
	int time = (int)call->arg[rule->time];

	if (time > 0) {
		int64_t kernel = (to_kernel(RELATIVE, (int64_t)time * MILLION) + MILLION - 1) / MILLION;
		call->arg[rule->time] = kernel < INT_MAX ? kernel : INT_MAX;
	}
	return api->next(call);
}

static long change_timer(struct zlazy_call *call, const struct rule *rule, int clock)
{
	long old_at = call->arg[rule->left], result;
	struct times new, old;

	if (rule->time != NONE && take(&new, 2, call->arg[rule->time], rule->unit, clock))
		call->arg[rule->time] = (long)&new;
	if (old_at != 0)
		call->arg[rule->left] = (long)&old;
	result = api->next(call);
	return result == 0 && old_at != 0 && !give(&old, 2, old_at, rule->unit) ? -EFAULT : result;
}

static long set_itimer(struct zlazy_call *call, const struct rule *rule)
{
	return (int)call->arg[0] == ITIMER_REAL ? change_timer(call, rule, RELATIVE) : api->next(call);
}

static long set_alarm(struct zlazy_call *call, const struct rule *rule)
{
	struct times new = { .time[1].seconds = (unsigned)call->arg[0] }, old;
	int64_t left;

	put(&new, 1, rule->unit, to_kernel(RELATIVE, get(&new, 1, rule->unit)) + rule->unit - 1);
	call->number = SYS_setitimer;
	call->arg[0] = ITIMER_REAL;
	call->arg[1] = (long)&new;
	call->arg[2] = (long)&old;
	if (api->next(call) != 0)
		return 0;
	left = to_program(RELATIVE, get(&old, 1, rule->unit));
	return left > 0 && left < SECOND ? 1 : (left + SECOND / 2) / SECOND;
}

static long make_timer(struct zlazy_call *call, const struct rule *rule)
{
	long result = api->next(call);
	unsigned id;

	(void)rule;
	if (result == 0 && fetch(&id, call->arg[2], sizeof id))
		timer_clocks[id % TIMERS] = is_ours((int)call->arg[0]) ? (signed char)call->arg[0] : NONE;
	return result;
}

static long set_timer(struct zlazy_call *call, const struct rule *rule)
{
	int clock = timer_clocks[(unsigned)call->arg[0] % TIMERS];
	bool is_absolute = rule->time != NONE && call->arg[1] & TIMER_ABSTIME;

	return is_ours(clock) ? change_timer(call, rule, is_absolute ? clock : RELATIVE) : api->next(call);
}

/* The clock of a timerfd, which another program may have made. */
static int clock_of(int fd)
{
	char path[64], line[128];
	int clock = CLOCK_MONOTONIC;
	FILE *file;

	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		sscanf(line, "clockid: %d", &clock);
	if (file != NULL)
		fclose(file);
	return is_ours(clock) ? clock : CLOCK_MONOTONIC;
}

static long set_timerfd(struct zlazy_call *call, const struct rule *rule)
{
	bool is_absolute = rule->time != NONE && call->arg[1] & TFD_TIMER_ABSTIME;
	return change_timer(call, rule, is_absolute ? clock_of((int)call->arg[0]) : RELATIVE);
}

/* Another environment, with CLOCK_ORIGIN; on this stack, for a child of vfork would allocate for its parent. */
static long execute(struct zlazy_call *call, const struct rule *rule)
{
	static const char name[] = "CLOCK_ORIGIN=";
	long variables[VARIABLES] = { (long)origin_variable }, from = call->arg[rule->time], variable = 0;
	char start[sizeof name - 1];
	size_t count = 1;

	for (; from != 0 && count < VARIABLES - 1 && fetch(&variable, from, sizeof variable) && variable != 0; from += 8)
		if (!fetch(start, variable, sizeof start) || memcmp(start, name, sizeof start) != 0)
			variables[count++] = variable;
	if (variable == 0)   /* the end has been reached */
		call->arg[rule->time] = (long)variables;
	return api->next(call);
}

static const struct rule rules[] = {
	{ SYS_clock_gettime, false, read_clock, NONE, NONE, NANOSECONDS },
	{ SYS_gettimeofday, false, read_day, NONE, NONE, MICROSECONDS },
	{ SYS_time, false, read_seconds, NONE, NONE, 0 },
	{ SYS_nanosleep, true, wait_span, 0, 1, NANOSECONDS },
	{ SYS_clock_nanosleep, false, sleep_clock, 2, 3, NANOSECONDS },
	{ SYS_futex, false, wait_futex, 3, NONE, NANOSECONDS },
	{ FUTEX_WAITV, false, wait_clock, 3, NONE, NANOSECONDS },
	{ FUTEX_WAIT_CALL, false, wait_clock, 4, NONE, NANOSECONDS },
	{ SYS_select, true, wait_span, 4, 4, MICROSECONDS },
	{ SYS_pselect6, true, wait_span, 4, 4, NANOSECONDS },
	{ SYS_poll, true, wait_milliseconds, 2, NONE, 0 },
	{ SYS_ppoll, true, wait_span, 2, 2, NANOSECONDS },
	{ SYS_epoll_wait, true, wait_milliseconds, 3, NONE, 0 },
	{ SYS_epoll_pwait, true, wait_milliseconds, 3, NONE, 0 },
	{ EPOLL_PWAIT2, true, wait_span, 3, NONE, NANOSECONDS },
	{ SYS_rt_sigtimedwait, true, wait_span, 2, NONE, NANOSECONDS },
	{ SYS_recvmmsg, true, wait_span, 4, 4, NANOSECONDS },
	{ SYS_semtimedop, true, wait_span, 3, NONE, NANOSECONDS },
	{ SYS_io_getevents, true, wait_span, 4, NONE, NANOSECONDS },
	{ SYS_io_pgetevents, true, wait_span, 4, NONE, NANOSECONDS },
	{ SYS_mq_timedsend, false, wait_wall, 4, NONE, NANOSECONDS },
	{ SYS_mq_timedreceive, false, wait_wall, 4, NONE, NANOSECONDS },
	{ SYS_alarm, true, set_alarm, NONE, NONE, MICROSECONDS },
	{ SYS_setitimer, true, set_itimer, 1, 2, MICROSECONDS },
	{ SYS_getitimer, true, set_itimer, NONE, 1, MICROSECONDS },
	{ SYS_timer_create, false, make_timer, NONE, NONE, 0 },
	{ SYS_timer_settime, false, set_timer, 2, 3, NANOSECONDS },
	{ SYS_timer_gettime, true, set_timer, NONE, 1, NANOSECONDS },
	{ SYS_timerfd_settime, false, set_timerfd, 2, 3, NANOSECONDS },
	{ SYS_timerfd_gettime, true, set_timerfd, NONE, 1, NANOSECONDS },
	{ SYS_execve, true, execute, 2, NONE, 0 },
	{ SYS_execveat, true, execute, 3, NONE, 0 },
};
static const struct rule *rule_of[ZLAZY_NUMBERS];

static long on_call(struct zlazy_call *call, void *data)
{
	const struct rule *rule = rule_of[call->number];
	(void)data;
	return rule->act(call, rule);
}

/* When the first program of the run started, on each clock. */
static void set_origins(void)
{
	const char *inherited = getenv("CLOCK_ORIGIN");
	int64_t since = now(CLOCK_MONOTONIC) - (inherited != NULL ? atoll(inherited) : now(CLOCK_MONOTONIC));

	for (int clock = 0; clock < CLOCKS; clock++)
		origin[clock] = now(clock) - since;
	snprintf(origin_variable, sizeof origin_variable, "CLOCK_ORIGIN=%lld", (long long)origin[CLOCK_MONOTONIC]);
}

static bool parse(const char *argument)
{
	char *end;

	for (const char *item = argument; *item != '\0'; item = *end == ',' ? end + 1 : end) {
		if (strncmp(item, "shift=", 6) == 0)
			shift = strtold(item + 6, &end) * SECOND;
		else if (strncmp(item, "scale=", 6) == 0)
			scale = strtold(item + 6, &end);
		else
			return false;
		if (end == item + 6 || (*end != ',' && *end != '\0'))
			return false;
	}
	return shift > -1e18L && shift < 1e18L && scale >= 1e-3L && scale <= 1e6L;
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	api = a;
	if (!parse(argument)) {
		a->log("clock: bad argument; use clock.so:shift=SECONDS,scale=FACTOR, with a FACTOR from 0.001 to 1000000");
		return -EINVAL;
	}
	set_origins();
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		rule_of[rules[i].number] = &rules[i];
		if (scale != 1 || !rules[i].is_for_scale)
			zlazy_want(hook, rules[i].number);
	}
	hook->on_call = on_call;
	return 0;
}
