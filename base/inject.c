/* inject.c - see inject.h; compiled in every build, empty in most */
#include "base/inject.h"
#ifdef ZL_FAULT_INJECTION
#include "base/string.h"
#include <linux/errno.h>
#include <stdatomic.h>
#include "base/poison.h"

static const long errors[ZL_OWN_CALLS] = {
	[ZL_OWN_MAP] = -ENOMEM, [ZL_OWN_UNMAP] = -ENOMEM, [ZL_OWN_PROTECT] = -EACCES, [ZL_OWN_OPEN] = -EACCES,
	[ZL_OWN_READ] = -EIO, [ZL_OWN_WRITE] = -EIO, [ZL_OWN_DUP] = -EMFILE, [ZL_OWN_QUERY] = -ENOTTY,
	[ZL_OWN_BARRIER] = -EPERM,
};

/* Set at start, before threads. Of a call: the number that fails, or EVERY; else, with a rate, what the seed says. */
enum { NONE = 0 };
#define EVERY (~0UL)
static struct { unsigned long number[ZL_OWN_CALLS], rate[ZL_OWN_CALLS], seed; } plan;
static _Atomic uint64_t made[ZL_OWN_CALLS];
static struct zl_own_calls early, *_Atomic counts = &early;

/* The finalizer of splitmix64 (Vigna): each bit of the result depends on all of x. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9UL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebUL;
	return x ^ x >> 31;
}

static bool has_to_fail(enum zl_own_call call, uint64_t n)
{
	if (plan.rate[call])
		return mix(plan.seed + mix(n * ZL_OWN_CALLS + call)) % plan.rate[call] == 0;
	return plan.number[call] != NONE && (plan.number[call] == EVERY || plan.number[call] == n);
}

long zl_inject(enum zl_own_call call)
{
	struct zl_own_calls *to = atomic_load_explicit(&counts, memory_order_acquire);
	uint64_t n = atomic_fetch_add(&made[call], 1) + 1;

	atomic_fetch_add(&to->made[call], 1);
	if (!has_to_fail(call, n))
		return 0;
	atomic_fetch_add(&to->failed[call], 1);
	return errors[call];
}

/* SEED/RATE */
static bool parse_random(const char *text, unsigned long *rate)
{
	char seed[24];
	size_t i = 0;

	for (; text[i] && text[i] != '/' && i < sizeof(seed) - 1; i++)
		seed[i] = text[i];
	seed[i] = '\0';
	return text[i] == '/' && zl_parse_number(seed, &plan.seed) && zl_parse_number(text + i + 1, rate) && *rate > 0;
}

static bool parse_rest(const char *rest, unsigned long *number, unsigned long *rate)
{
	const char *random = zl_after(rest, "random=");

	if (random)
		return parse_random(random, rate);
	if (zl_equal(rest, "*"))
		*number = EVERY;
	else if (!zl_parse_number(rest, number) || *number == 0)
		return false;
	return true;
}

bool zl_inject_parse(const char *specification)
{
	const char *rest = zl_after(specification, "all:");
	unsigned long number = NONE, rate = 0;
	bool is_for_all = rest;

	for (unsigned i = 0; i < ZL_OWN_CALLS; i++) {
		const char *own = is_for_all ? rest : zl_after(specification, zl_own_call_name(i));
		if (!own || (!is_for_all && *own++ != ':'))
			continue;
		if (!parse_rest(own, &number, &rate))
			return false;
		atomic_store(&made[i], 0);
		plan.number[i] = number;
		plan.rate[i] = rate;
		if (!is_for_all)
			return true;
	}
	return is_for_all;
}

void zl_inject_count_in(struct zl_own_calls *calls)
{
	for (unsigned i = 0; i < ZL_OWN_CALLS; i++) {
		atomic_fetch_add(&calls->made[i], atomic_load(&early.made[i]));
		atomic_fetch_add(&calls->failed[i], atomic_load(&early.failed[i]));
	}
	atomic_store_explicit(&counts, calls, memory_order_release);
}
#endif
