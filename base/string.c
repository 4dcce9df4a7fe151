/* string.c - the four functions that the compiler itself may call, and small string helpers
 *
 * Hidden: they serve the agent only and never stand in for libc's. General registers only, so that they may run
 * before vector state is saved.
 */
#include "base/string.h"
#include "base/poison.h"

void *(memcpy)(void *restrict to, const void *restrict from, size_t n)
{
	void *start = to;
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
	return start;
}

void *memset(void *to, int byte, size_t n)
{
	void *start = to;
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(byte) : "memory");
	return start;
}

void *memmove(void *to, const void *from, size_t n)
{
	if ((uintptr_t)to - (uintptr_t)from >= n)
		return memcpy(to, from, n);
	for (size_t i = n; i-- > 0;)
		((volatile char *)to)[i] = ((const char *)from)[i];
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const volatile unsigned char *x = a, *y = b;
	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

size_t zl_length(const char *s)
{
	size_t n = 0;
	while (((const volatile char *)s)[n])
		n++;
	return n;
}

bool zl_equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

const char *zl_after(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return NULL;
	return s;
}

bool zl_parse_number(const char *s, unsigned long *value)
{
	unsigned long n = 0;
	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || n > 1UL << 56)
			return false;
		n = n * 10 + (unsigned long)(*s - '0');
	}
	*value = n;
	return true;
}
