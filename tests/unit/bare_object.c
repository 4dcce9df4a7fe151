/* bare_object.c - what test_bare loads: one source, a library for each macro that asks for something more */
#include <stddef.h>
#include <string.h>

enum { PAGES = 5, PAGE = 4096 };

extern int bare_missing(void) __attribute__((weak));

static char zeros[PAGES * PAGE], text[] = "text", copy[sizeof(text)];
static int one(void) { return 1; }
static int two(void) { return 2; }
int (*const bare_table[])(void) = { one, two, bare_missing };
int bare_plain(void) { return 3; }
int (*bare_pointer)(void) = bare_plain;

/* 0 if all of it is as it should be, else which part is not. */
int bare_check(int size)
{
	for (size_t i = 0; i < sizeof(zeros); i++)
		if (zeros[i] != 0)
			return 1;
	memset(zeros, size, sizeof(zeros));
	memcpy(copy, text, (size_t)size);
	if (strcmp(copy, "text") != 0)
		return 2;
	if (bare_table[0]() != 1 || bare_table[1]() != 2 || bare_table[2])
		return 3;
	return bare_pointer() == 3 ? 0 : 4;
}

const void *bare_relro(void)
{
	return bare_table;
}

#ifdef WITH_TLS
__thread int bare_variable = 1;
#endif
#ifdef WITH_CONSTRUCTOR
__attribute__((constructor)) static void begin(void) { zeros[0] = 1; }
#endif
#ifdef WITH_UNKNOWN
extern int bare_nobody_has(void);
int bare_ask(void) { return bare_nobody_has(); }
#endif
#ifdef WITH_INDIRECT
static int (*choose(void))(void) { return one; }
int bare_indirect(void) __attribute__((ifunc("choose")));
int bare_call(void) { return bare_indirect(); }
#endif
