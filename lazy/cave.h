/* cave.h - five bytes of padding near a site, that are never executed, for a jump
 *
 *   zl_cave_read(site, &search)   copy the bytes around the site
 *   the caller puts back what was there before it changed sites, movs and caves in [begin, begin + size)
 *   zl_cave_find(&search)         look for a cave; writes nothing
 */
#ifndef ZL_LAZY_CAVE_H
#define ZL_LAZY_CAVE_H

#include "lazy/function.h"

/* What of the bytes counts: a branch of two bytes into a cave that a short jump reaches from the site. */
enum { ZL_CAVE_SIZE = 5, ZL_CAVE_BEFORE = 320, ZL_CAVE_AFTER = 384 };

/* bytes[site - begin] is the 0f of the `0f 05`. Bytes that are missing can't be read, so nothing is executed there. */
struct zl_cave_search {
	uintptr_t site, begin;
	unsigned size;
	bool (*find_function)(uintptr_t address, struct zl_function *function);   /* zl_function_find() */
	bool (*function_begins)(uintptr_t address);                               /* zl_function_begins() */
	bool (*is_taken)(uintptr_t start, uintptr_t end);   /* does somebody use a byte of [start, end)? NULL: nobody */
	uint8_t bytes[ZL_CAVE_BEFORE + ZL_CAVE_AFTER];
};

/* Fill in all but is_taken. False if the site can't be read. context: SIGSYS */
bool zl_cave_read(uintptr_t site, struct zl_cave_search *search);

/* The address of ZL_CAVE_SIZE bytes within reach of a short jump at the site, 0 if there are none. Decodes no more than
 * ZL_MOST_DECODED instructions; 4 KiB of stack.
 * pre: zl_decoder != NULL; the site is an instruction of its own. context: SIGSYS */
uintptr_t zl_cave_find(const struct zl_cave_search *search);

#endif
