/* copies.c - see many.h; lies in the shared library with them */
#include "many.h"
#include <string.h>

extern __attribute__((visibility("hidden"))) unsigned char many_functions[];

unsigned char *many_library(void)
{
	return many_functions;
}

long many_rewritten(const unsigned char *copy, const unsigned char *original)
{
	static const unsigned char call[] = { 0xb8, 39, 0, 0, 0, 0x0f, 0x05 };   /* mov $__NR_getpid, %eax; syscall */
	static const unsigned char by_call[] = { 0xff, 0xd0 };   /* call *%rax; a jump has taken the place of the mov */
	const unsigned char by_jump = 0xe9;
	const size_t site = sizeof(call) - sizeof(by_call);
	long count = 0;

	for (size_t at = 0; at + sizeof(call) <= MANY_BYTES; at++)
		count += memcmp(original + at, call, sizeof(call)) == 0 &&
			 (copy[at] == by_jump || memcmp(copy + at + site, by_call, sizeof(by_call)) == 0);
	return count;
}
