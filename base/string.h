/* string.h - memory and strings without libc */
#ifndef ZL_BASE_STRING_H
#define ZL_BASE_STRING_H

#include "base/types.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int byte, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* In freestanding code the compiler takes the name for any function; this one it makes a few moves of, where n is a
 * small constant. A call, with its `rep movsb`, takes longer than that. */
#ifndef memcpy
#define memcpy(to, from, n) __builtin_memcpy(to, from, n)
#endif

size_t zl_length(const char *s);
bool zl_equal(const char *a, const char *b);
/* What follows `prefix` in s, or NULL if s begins otherwise. */
const char *zl_after(const char *s, const char *prefix);
/* A whole decimal number; false if it is anything else. */
bool zl_parse_number(const char *s, unsigned long *value);

#endif
