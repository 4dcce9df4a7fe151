/* near.c - see near.h
 *
 * Not where the kernel puts it, which may be a place that the program has just left and wants back. First a good way
 * below the code, where there is nothing, mostly; but not below the stack for code above it, where the vDSO is for some
 * kernels. Else at the end of a gap, right below a mapping of code, of a file, of what can only be read, or of the
 * agent's, the nearest one first. Nothing grows there: a heap grows upward from where the program ends, a stack
 * downward from where it begins.
 */
#include "lazy/near.h"
#include "base/os.h"
#include "base/ranges.h"
#include "lazy/maps.h"
#include <linux/errno.h>
#include <linux/mman.h>
#include "base/poison.h"

enum { LOWEST = 0x10000, TRIES = 4 };   /* vm.mmap_min_addr is no higher, mostly */
enum { STEP = 0x4000000, STEPS = 16 };

uintptr_t zl_near_stack;

struct search {
	uintptr_t address, end;        /* end: of the mapping before */
	uintptr_t at;                  /* the best so far, 0: none */
	size_t size;
	uintptr_t below;               /* only gaps that are further away than this one are of interest */
};

static uintptr_t distance(uintptr_t a, uintptr_t b)
{
	return a < b ? b - a : a - b;
}

static bool is_still(const struct zl_mapping *mapping)
{
	struct zl_range agent;

	return mapping->has_file || mapping->protection & PROT_EXEC || mapping->protection == PROT_READ ||
	       zl_ranges_find(mapping->start, mapping->start + 1, ZL_RANGE_HOOKS, &agent);
}

static bool take_gap(const struct zl_mapping *mapping, void *data)
{
	struct search *s = data;
	uintptr_t at = mapping->start - s->size, last = s->end;
	bool is_room = mapping->start > last && mapping->start - last >= s->size;

	s->end = mapping->end;
	if (is_room && is_still(mapping) && zl_is_near(s->address, 1, at, s->size) &&
	    distance(at, s->address) > s->below &&
	    (!s->at || distance(at, s->address) < distance(s->at, s->address)))
		s->at = at;
	return (intptr_t)mapping->end > 0;   /* not the vsyscall page */
}

static long map(uintptr_t at, size_t size)
{
	return zl_os_map(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1);
}

static long map_in_gap(uintptr_t address, size_t size)
{
	struct search search = { .address = address, .size = size };
	long at;

	for (int i = 0; i < TRIES; i++) {   /* another thread may be faster */
		search.end = LOWEST;
		search.at = 0;
		at = zl_maps_each(take_gap, &search);
		if (at != 0 || !search.at)
			return at ? at : -ENOMEM;
		at = map(search.at, size);
		if (!zl_is_error(at))
			return at;
		search.below = distance(search.at, address);
	}
	return -ENOMEM;
}

long zl_near_map(uintptr_t address, size_t size)
{
	uintptr_t below = zl_align_down(address, ZL_PAGE);

	size = zl_align_up(size, ZL_PAGE);
	for (unsigned i = 1; i <= STEPS && below > i * STEP + LOWEST; i++) {
		uintptr_t to = below - i * STEP;
		long at = to < zl_near_stack && zl_near_stack < address ? -ENOMEM : map(to, size);
		if (!zl_is_error(at))
			return at;
	}
	return map_in_gap(address, size);
}
