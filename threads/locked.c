/* locked.c - mlockall: the program's memory is locked, the agent's is not
 *
 * RLIMIT_MEMLOCK is small for ordinary users, and the program's own calculation doesn't know of the agent. Three things
 * keep it right: what the agent has is unlocked again after the call; what it maps later is unlocked at once
 * (base/os.c); and where the kernel refuses the call because all memory together, the agent's and the hook libraries'
 * included, is more than the limit, the program's mappings are locked one by one if they are not.
 */
#include "base/os.h"
#include "base/ranges.h"
#include "lazy/maps.h"
#include "threads/call.h"
#include "threads/owners.h"
#include <linux/errno.h>
#include <linux/mman.h>
#include <linux/resource.h>
#include "base/poison.h"

/* Of the program's mappings: their size, or what locks them. */
struct walk {
	uintptr_t size;
	bool is_locking;
	long flags;              /* of mlock2 */
};

static bool take_mapping(const struct zl_mapping *mapping, void *data)
{
	struct walk *walk = data;
	uintptr_t start = mapping->start;
	struct zl_range agent;

	if ((long)start < 0)   /* the vsyscall page, the last line */
		return false;
	while (start < mapping->end) {
		if (!zl_ranges_find(start, mapping->end, ZL_RANGE_KINDS, &agent))
			agent.start = agent.end = mapping->end;
		walk->size += agent.start - start;
		if (walk->is_locking && agent.start > start)   /* as in mlockall, what can't be read in is no error */
			zl_raw(__NR_mlock2, start, agent.start - start, walk->flags);
		start = agent.end;
	}
	return true;
}

/* After the kernel's ENOMEM. */
static long lock_one_by_one(struct zl_frame *frame, long flags)
{
	struct walk walk = { .flags = flags & MCL_ONFAULT ? MLOCK_ONFAULT : 0 };
	struct rlimit limit;
	long result = 0;

	if (zl_maps_each(take_mapping, &walk) != 0 || zl_raw(__NR_getrlimit, RLIMIT_MEMLOCK, &limit) != 0 ||
	    walk.size > limit.rlim_cur)
		return -ENOMEM;
	if (flags & MCL_FUTURE)
		result = zl_call_as(frame, __NR_mlockall, flags & ~(long)MCL_CURRENT, 0, 0, 0, 0, 0);
	if (result != 0)
		return result;
	walk.is_locking = true;
	zl_maps_each(take_mapping, &walk);
	return 0;
}

static void unlock(uintptr_t start, uintptr_t end, void *data)
{
	(void)data;
	zl_raw(__NR_munlock, start, end - start);
}

long zl_own_mlockall(struct zl_frame *frame)
{
	long flags = frame->call.arg[0], result;
	bool is_future = flags & MCL_FUTURE;

	if (is_future)
		zl_os_future_is_locked(true);
	result = zl_call_make(frame);
	if (result == -ENOMEM && flags & MCL_CURRENT)
		result = lock_one_by_one(frame, flags);
	if (result != 0)
		return result;
	zl_ranges_each(unlock, NULL);
	zl_os_future_is_locked(is_future);
	return 0;
}

long zl_own_munlockall(struct zl_frame *frame)
{
	long result = zl_call_make(frame);
	if (result == 0)
		zl_os_future_is_locked(false);
	return result;
}
