/* callee.c - the yardstick of bench/calls: a C function with one store, out of the compiler's sight */
#include "bench.h"

static volatile long callee_last;

long callee(long number)
{
	callee_last = number;
	return BENCH_ANSWER;
}
