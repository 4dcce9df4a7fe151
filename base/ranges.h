/* ranges.h - where the agent's memory lies
 *
 * threads/memory.c keeps the program's calls away from these ranges. Each is one 64-bit word, so that it is read
 * without a lock and never half changed:
 *
 *     first page << 19 | is it the hook libraries'? << 18 | number of pages        0: free
 *
 * zl_os_map() and zl_os_unmap() keep the list by themselves; the library's own segments and the hook libraries are
 * added at start. A forked child has its own copy. What does not fit in the list, for want of memory, is not
 * guarded. Between the kernel's mmap and the word there is a moment in which another thread of the program may map
 * over the new range, or unmap it: memory that it had not got from the kernel, so natively a bug.
 */
#ifndef ZL_BASE_RANGES_H
#define ZL_BASE_RANGES_H

#include "base/types.h"

/* Who may change the range: nobody but the agent, or hook code too. */
enum zl_range_kind { ZL_RANGE_AGENT, ZL_RANGE_HOOKS, ZL_RANGE_KINDS };

struct zl_range {
	uintptr_t start, end;
};

/* Add [start, end), widened to whole pages. */
void zl_ranges_add(uintptr_t start, uintptr_t end, enum zl_range_kind kind);
/* Take [start, end) out of ranges of this kind, whole or in part. */
void zl_ranges_remove(uintptr_t start, uintptr_t end, enum zl_range_kind kind);
/* The lowest piece of [start, end) that lies in a range of a kind below `kinds`; false if none does. */
bool zl_ranges_find(uintptr_t start, uintptr_t end, enum zl_range_kind kinds, struct zl_range *found);
/* Call function(start, end, data) for every range. */
void zl_ranges_each(void (*function)(uintptr_t start, uintptr_t end, void *data), void *data);

#endif
