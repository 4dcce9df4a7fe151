/* Counts primes and prints what it found; compiled by the gcc and make programs. */
#include <stdio.h>
#include <stdlib.h>

#ifndef STEP
#define STEP 1
#endif

static int is_prime(long n)
{
	for (long d = 2; d * d <= n; d++)
		if (n % d == 0)
			return 0;
	return n > 1;
}

int main(int count, char **arguments)
{
	long limit = count > 1 ? atol(arguments[1]) : 100, found = 0;
	for (long n = 0; n < limit; n += STEP)
		found += is_prime(n);
	printf("%ld primes below %ld, step %d\n", found, limit, STEP);
	return (int)(found & 15);
}
