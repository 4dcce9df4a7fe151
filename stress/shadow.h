/* shadow.h - calls that are counted twice: by the program here, and by the hook tests/hooks/shadow.c
 *
 * The numbers are the program's alone: OWN_NUMBERS that no kernel knows (-ENOSYS), and getppid and lseek, which nothing
 * else in these programs calls. With that hook the counts have to be equal, number by number, whenever no thread is in
 * a call: a call that was missed, or made twice, shows. With no hook, or another, there is nothing to compare with, and
 * the last line says so.
 *
 * lseek is counted a third time, by the kernel: each call moves the offset of a file of the thread's own by one.
 */
#ifndef SHADOW_H
#define SHADOW_H

#include "storm.h"

enum { OWN_FIRST = 1000, OWN_NUMBERS = 64, SHADOW_NUMBERS = OWN_NUMBERS + 2, SHADOW_QUERY = 1999 };

struct seeker { int fd; long at; };     /* one for each thread */

static struct {
	_Atomic long made[SHADOW_NUMBERS];
	long before[SHADOW_NUMBERS];
	pid_t parent;
	bool is_hooked;
} shadow;

static inline unsigned shadow_index(int number)
{
	return number == SYS_getppid ? OWN_NUMBERS : number == SYS_lseek ? OWN_NUMBERS + 1 : (unsigned)number - OWN_FIRST;
}

static inline int shadow_number(unsigned index)
{
	return index == OWN_NUMBERS ? SYS_getppid : index == OWN_NUMBERS + 1 ? SYS_lseek : OWN_FIRST + (int)index;
}

/* Any of them, for a call; often the one that the kernel counts. */
static inline int shadow_any(struct storm *storm)
{
	return storm_below(storm, 4) ? shadow_number(storm_below(storm, SHADOW_NUMBERS)) : SYS_lseek;
}

/* One that needs no argument and has no effect. */
static inline int shadow_own(struct storm *storm)
{
	return OWN_FIRST + (int)storm_below(storm, OWN_NUMBERS);
}

static inline void shadow_count(int number, long calls)
{
	atomic_fetch_add_explicit(&shadow.made[shadow_index(number)], calls, memory_order_relaxed);
}

/* In each process that compares, before its first call: a forked child begins anew. */
static inline void shadow_begin(void)
{
	shadow.is_hooked = raw1(SHADOW_QUERY, SYS_getppid) != -ENOSYS;
	shadow.parent = getppid();
	for (unsigned i = 0; i < SHADOW_NUMBERS; i++) {
		shadow.made[i] = 0;
		shadow.before[i] = shadow.is_hooked ? raw1(SHADOW_QUERY, shadow_number(i)) : 0;
	}
}

/* While no thread of this process is in a call. */
static inline void shadow_compare(void)
{
	for (unsigned i = 0; shadow.is_hooked && i < SHADOW_NUMBERS; i++) {
		long seen = raw1(SHADOW_QUERY, shadow_number(i)) - shadow.before[i];
		if (seen != shadow.made[i])
			FAIL("call %d: made %ld times, seen %ld times by the hook", shadow_number(i), (long)shadow.made[i], seen);
	}
}

static inline long shadow_calls(void)
{
	long calls = 0;
	for (unsigned i = 0; i < SHADOW_NUMBERS; i++)
		calls += shadow.made[i];
	return calls;
}

static inline const char *shadow_word(void)
{
	return shadow.is_hooked ? "counts compared" : "no counts to compare";
}

static inline struct seeker seeker_open(void)
{
	int fd = memfd_create("offset", MFD_CLOEXEC);
	CHECK(fd >= 0);
	return (struct seeker){ fd, 0 };
}

/* What a call has to answer when it was made once; and it is counted. */
static inline void shadow_made(int number, long result, struct seeker *seeker)
{
	CHECK_EQ(result, number == SYS_lseek ? ++seeker->at : number == SYS_getppid ? shadow.parent : -ENOSYS);
	shadow_count(number, 1);
}

#endif
