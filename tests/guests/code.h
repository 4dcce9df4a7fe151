/* code.h - machine code that guests make at run time */
#ifndef GUEST_CODE_H
#define GUEST_CODE_H

#include "guest.h"

typedef long call_function(long a, long b, long c);

enum { CODE_PAGE = 4096, CODE_SIZE = 8, CODE_SITE = 5 };

/* long f(a, b, c): `mov $nr,%eax; syscall; ret`, 8 bytes, its site at +5. */
GUEST_UNUSED static void *put_call(void *at, int nr)
{
	unsigned char *p = at;
	p[0] = 0xb8;
	memcpy(p + 1, &nr, 4);
	memcpy(p + 5, "\x0f\x05\xc3", 3);
	return at;
}

/* long f(nr): `mov %rdi,%rax; syscall; ret`, 6 bytes. */
GUEST_UNUSED static void *put_variable_call(void *at)
{
	return memcpy(at, "\x48\x89\xf8\x0f\x05\xc3", 6);
}

GUEST_UNUSED static unsigned char *map_pages(int pages, int protection)
{
	void *p = mmap(NULL, (size_t)pages * CODE_PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	return p;
}

GUEST_UNUSED static void protect(void *at, int pages, int protection)
{
	CHECK(mprotect(at, (size_t)pages * CODE_PAGE, protection) == 0);
}

GUEST_UNUSED static long call_at(const void *at, long a, long b, long c)
{
	return ((call_function *)(uintptr_t)at)(a, b, c);
}

#define PROT_RW (PROT_READ | PROT_WRITE)
#define PROT_RX (PROT_READ | PROT_EXEC)
#define PROT_RWX (PROT_READ | PROT_WRITE | PROT_EXEC)

#endif
