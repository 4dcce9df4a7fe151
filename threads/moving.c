/* moving.c - what becomes of sites when their memory goes, changes or comes
 *
 * A record holds for bytes that are there. So before a call that gives the program write access to code, or may lose its
 * contents, the sites there get their own bytes back and are forgotten; when they run again they trap, and are judged
 * anew. With memory that goes, the records go. The patch lock is held over the call, so that no site is recorded in the
 * old memory any more, and none in what another thread maps in its place is forgotten; a thread that traps meanwhile makes
 * its call by the trap (lazy/trap.c). Where there is no site, nearly everywhere, no lock is taken; then the range is
 * entered (lazy/leaves.h), and no site is recorded there until the call is over.
 *
 * A site of two pages, of which one is concerned, gets its bytes back in any case: half of it would be another
 * instruction.
 */
#include "threads/moving.h"
#include "base/raw.h"
#include "lazy/bytes.h"
#include "lazy/codefd.h"
#include "lazy/maps.h"
#include "lazy/patch.h"
#include "lazy/sites.h"
#include <linux/mman.h>
#include "base/poison.h"

static bool is_restored(uintptr_t after, enum zl_site_state state)
{
	return zl_patch_undo(after - ZL_SITE_SIZE, state);
}

static bool is_open_restored(uintptr_t after, enum zl_site_state state)
{
	return state == ZL_SITE_OPEN && is_restored(after, state);
}

/* Is there something else by now? */
static bool is_gone(uintptr_t after, enum zl_site_state state)
{
	uint8_t bytes[ZL_SITE_SIZE];
	(void)state;
	return !zl_codefd_read(bytes, after - ZL_SITE_SIZE, sizeof(bytes)) || bytes[0] != ZL_NEW_FIRST ||
	       bytes[1] != ZL_NEW_SECOND;
}

/* What is done about a range while its memory changes. */
enum care {
	NONE,                  /* one thread: nobody is in the way */
	ENTERED,               /* no sites */
	HELD,                  /* the patch lock, and there are sites */
};

static void lock(void)
{
	zl_lock(&zl_patch_lock);
	zl_patch_forget();
}

static bool may_lie(uintptr_t start, uintptr_t end)
{
	return zl_unlikely(zl_leaves_may_lie(start, end + ZL_SITE_SIZE));
}

/* Others are in the way if there are any. */
static enum care enter(uintptr_t start, uintptr_t end)
{
	if (!atomic_load_explicit(&zl_is_threaded, memory_order_acquire))
		return NONE;
	zl_leaves_enter(start, end + ZL_SITE_SIZE);
	return ENTERED;
}

static enum care begin(uintptr_t start, uintptr_t end)
{
	enum care care = enter(start, end);

	if (!may_lie(start, end))
		return care;
	if (care == ENTERED)
		zl_leaves_leave(start, end + ZL_SITE_SIZE);
	lock();
	if (zl_sites_lie(start, end))
		return HELD;
	care = enter(start, end);
	zl_unlock(&zl_patch_lock);
	return care;
}

static void finish(enum care care, uintptr_t start, uintptr_t end)
{
	if (care == HELD)
		zl_unlock(&zl_patch_lock);
	else if (care == ENTERED)
		zl_leaves_leave(start, end + ZL_SITE_SIZE);
}

static void drop(uintptr_t start, uintptr_t end, bool (*drops)(uintptr_t, enum zl_site_state))
{
	if (!may_lie(start, end))
		return;
	lock();
	zl_sites_drop(start, end, drops);
	zl_unlock(&zl_patch_lock);
}

/* Those that lie half in the range. */
static void restore_edges(uintptr_t start, uintptr_t end)
{
	zl_sites_drop(start, start, is_restored);
	zl_sites_drop(end, end, is_restored);
}

static bool has_failed(long result)
{
	return zl_is_error(result) || result == ZLAZY_INTERRUPTED;
}

long zl_moving_away(struct zl_frame *frame, uintptr_t start, uintptr_t end, zl_making *make)
{
	enum care care = begin(start, end);
	long result;

	if (care == HELD)
		restore_edges(start, end);
	result = make(frame);
	if (care == HELD)
		zl_sites_drop(start, end, has_failed(result) ? is_gone : NULL);
	finish(care, start, end);
	return result;
}

/* Under the patch lock, or with the range entered, so that nobody asks in between. */
static void forget_private(enum care care, uintptr_t start, uintptr_t end)
{
	if (care != HELD)
		lock();
	zl_maps_forget(start, end);
	if (care != HELD)
		zl_unlock(&zl_patch_lock);
}

long zl_moving_in(struct zl_frame *frame, uintptr_t start, uintptr_t end, bool is_private, zl_making *make)
{
	enum care care = begin(start, end);
	long at;

	if (care == HELD)
		restore_edges(start, end);
	at = make(frame);
	if (care == HELD)
		zl_sites_drop(start, end, (uintptr_t)at == start ? NULL : is_gone);
	if ((uintptr_t)at == start && !is_private)
		forget_private(care, start, end);
	finish(care, start, end);
	return at;
}

long zl_moving_changes(struct zl_frame *frame, uintptr_t start, uintptr_t end, bool only_open, zl_making *make)
{
	enum care care = begin(start, end);
	long result;

	if (care == HELD)
		zl_sites_drop(start, end, only_open ? is_open_restored : is_restored);
	result = make(frame);
	finish(care, start, end);
	return result;
}

/* Both ranges by the lock: mremap is rare. */
long zl_moving_by_mremap(struct zl_frame *frame, zl_making *make)
{
	const uintptr_t *arg = (const uintptr_t *)frame->call.arg;
	uintptr_t from = arg[0], from_end = arg[0] + arg[1], to = 0, to_end = 0;
	long at;

	if (arg[3] & MREMAP_FIXED && arg[4] + arg[2] > arg[4]) {
		to = arg[4];
		to_end = arg[4] + arg[2];
	}
	if (from_end < from)
		return make(frame);
	lock();
	zl_sites_drop(from, from_end, is_restored);
	restore_edges(to, to_end);
	at = make(frame);
	zl_sites_drop(to, to_end, has_failed(at) ? is_gone : NULL);
	if (!has_failed(at)) {
		if ((uintptr_t)at != from || arg[2] > arg[1])
			zl_sites_drop((uintptr_t)at == from ? from_end : (uintptr_t)at, (uintptr_t)at + arg[2], NULL);
		zl_maps_forget((uintptr_t)at, (uintptr_t)at + arg[2]);
	}
	zl_unlock(&zl_patch_lock);
	return at;
}

/* The sites from the segment's address on, up to the first that can be read. */
long zl_moving_by_shmdt(struct zl_frame *frame, zl_making *make)
{
	uintptr_t start = (uintptr_t)frame->call.arg[0];
	struct zl_leaf *leaf;
	uint8_t byte;
	long result;

	lock();
	zl_sites_drop(start, start, is_restored);
	result = make(frame);
	while (result == 0 && (leaf = zl_leaf_from(start / ZL_PAGE)) != NULL) {
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
