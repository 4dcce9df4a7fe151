/* many.h - many functions with one `syscall` each, and copies of them (many.S, copies.c) */
#ifndef ZLAZY_BENCH_MANY_H
#define ZLAZY_BENCH_MANY_H

#define MANY_FUNCTIONS	4096
#define MANY_SIZE_BITS	8
#define MANY_SIZE	(1 << MANY_SIZE_BITS)

#ifndef __ASSEMBLER__
#include <stddef.h>

enum { MANY_BYTES = MANY_FUNCTIONS * MANY_SIZE };

typedef long many_function(void);

/* All of them, in the text of a shared library. */
unsigned char *many_library(void);
/* How many functions of a copy say `call *%rax` where the other has `syscall`. */
long many_rewritten(const unsigned char *copy, const unsigned char *original);

static inline many_function *many_get(unsigned char *functions, long i)
{
	return (many_function *)(void *)(functions + i * MANY_SIZE);
}
#endif

#endif
