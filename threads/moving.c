/* moving.c - what becomes of sites when their memory goes, changes or comes
 *
 * A record holds for bytes that are there. So before a call that gives the program write access to code, or may lose
 * its contents, the sites there get their own bytes back and are forgotten; when they run again they trap, and are
 * judged anew. With memory that goes, the records go, when the call is over.
 *
 * The range is entered (lazy/leaves.h) as long as all this takes, so that no site is recorded in memory that is on its
 * way out, and none in what another thread maps in its place is forgotten: who traps there meanwhile makes its call by
 * the trap. The patch lock is held for the agent's part only, for the call may wait for the program: for a thread that
 * answers for userfaultfd memory, or for seccomp. Where there is no site, nearly everywhere, it is not taken at all.
 *
 * A site of two pages, of which one is concerned, gets its bytes back in any case: half of it would be another
 * instruction. So does one whose displaced instruction, or cave, lies elsewhere than the site.
 */
#include "threads/moving.h"
#include "base/raw.h"
#include "lazy/codefd.h"
#include "lazy/maps.h"
#include "lazy/patch.h"
#include "lazy/sites.h"
#include "lazy/tactic.h"
#include <linux/mman.h>
#include "base/poison.h"

static bool is_restored(uintptr_t after, enum zl_site_state state)
{
	return zl_tactic_of(after, state)->undo(after, state);
}

static bool is_open_restored(uintptr_t after, enum zl_site_state state)
{
	return state == ZL_SITE_OPEN && is_restored(after, state);
}

/* Is there something else by now? */
static bool is_gone(uintptr_t after, enum zl_site_state state)
{
	return !zl_tactic_of(after, state)->is_there(after, state);
}

static void lock(void)
{
	zl_lock(&zl_patch_lock);
	zl_patch_forget();
}

/* Sites of which a byte is in the range lie no further away. */
static uintptr_t lowest(uintptr_t start)
{
	return start < ZL_SITE_REACH ? 0 : start - ZL_SITE_REACH;
}

static uintptr_t highest(uintptr_t end)
{
	return end + ZL_SITE_REACH < end ? end : end + ZL_SITE_REACH;
}

static bool may_lie(uintptr_t start, uintptr_t end)
{
	return zl_unlikely(zl_leaves_may_lie(lowest(start), highest(end)));
}

static void drop(uintptr_t start, uintptr_t end, bool (*drops)(uintptr_t, enum zl_site_state))
{
	if (!may_lie(start, end))
		return;
	lock();
	zl_sites_drop(start, end, drops);
	zl_unlock(&zl_patch_lock);
}

/* Others are in the way if there are any. Returns what leave() has to know. */
static bool enter(uintptr_t start, uintptr_t end)
{
	if (!atomic_load_explicit(&zl_is_threaded, memory_order_acquire))
		return false;
	zl_leaves_enter(lowest(start), highest(end));
	return true;
}

static void leave(bool has_entered, uintptr_t start, uintptr_t end)
{
	if (has_entered)
		zl_leaves_leave(lowest(start), highest(end));
}

/* Those that lie half in the range. */
static void restore_edges(uintptr_t start, uintptr_t end)
{
	drop(start, start, is_restored);
	drop(end, end, is_restored);
}

static bool has_failed(long result)
{
	return zl_is_error(result) || result == ZLAZY_INTERRUPTED;
}

long zl_moving_away(struct zl_frame *frame, uintptr_t start, uintptr_t end, zl_making *make)
{
	bool has_entered = enter(start, end);
	long result;

	restore_edges(start, end);
	result = make(frame);
	drop(start, end, has_failed(result) ? is_gone : NULL);
	leave(has_entered, start, end);
	return result;
}

long zl_moving_in(struct zl_frame *frame, uintptr_t start, uintptr_t end, bool is_private, zl_making *make)
{
	bool has_entered = enter(start, end);
	long at;

	restore_edges(start, end);
	at = make(frame);
	drop(start, end, (uintptr_t)at == start ? NULL : is_gone);
	if ((uintptr_t)at == start && !is_private)
		zl_moving_shared(start, end);
	leave(has_entered, start, end);
	return at;
}

long zl_moving_changes(struct zl_frame *frame, uintptr_t start, uintptr_t end, bool only_open, zl_making *make)
{
	bool has_entered = enter(start, end);
	long result;

	drop(start, end, only_open ? is_open_restored : is_restored);
	result = make(frame);
	leave(has_entered, start, end);
	return result;
}

/* Where it has moved to nobody knows yet, but for its old and its fixed place. */
long zl_moving_by_mremap(struct zl_frame *frame, zl_making *make)
{
	const uintptr_t *arg = (const uintptr_t *)frame->call.arg;
	uintptr_t from = arg[0], from_end = zl_align_up(arg[0] + arg[1], ZL_PAGE), size = zl_align_up(arg[2], ZL_PAGE);
	uintptr_t to = arg[3] & MREMAP_FIXED ? arg[4] : from, to_end = to + size;
	bool has_entered, has_entered_too;
	long at;

	if (from_end < from || to_end < to)
		return make(frame);
	has_entered = enter(from, from_end);
	has_entered_too = enter(to, to_end);
	drop(from, from_end, is_restored);
	if (to != from)
		restore_edges(to, to_end);
	at = make(frame);
	if (!has_failed(at)) {
		drop((uintptr_t)at, (uintptr_t)at + size, NULL);
		zl_moving_shared((uintptr_t)at, (uintptr_t)at + size);
	}
	leave(has_entered_too, to, to_end);
	leave(has_entered, from, from_end);
	return at;
}

/* The sites from the segment's address on, up to the first that can be read. */
long zl_moving_by_shmdt(struct zl_frame *frame, zl_making *make)
{
	uintptr_t start = (uintptr_t)frame->call.arg[0];
	struct zl_leaf *leaf;
	uint8_t byte;
	long result;

	drop(start, start, is_restored);
	result = make(frame);
	if (result != 0)
		return result;
	lock();
	while ((leaf = zl_leaf_from(start / ZL_PAGE)) != NULL) {
		uintptr_t page = atomic_load_explicit(&leaf->page, memory_order_relaxed) * ZL_PAGE;
		if (zl_codefd_read(&byte, page, sizeof(byte)))
			break;
		zl_sites_drop(page, page + ZL_PAGE, NULL);
		start = page + ZL_PAGE;
	}
	zl_unlock(&zl_patch_lock);
	return result;
}

void zl_moving_restore(uintptr_t start, uintptr_t end)
{
	drop(start, end, is_restored);
}

void zl_moving_new(uintptr_t start, uintptr_t end)
{
	drop(start, end, NULL);
}

void zl_moving_shared(uintptr_t start, uintptr_t end)
{
	lock();
	zl_maps_forget(start, end);
	zl_unlock(&zl_patch_lock);
}
