/* jump.c - the tactics that need no page zero
 *
 *     mov     b8 NN NN NN NN   mov $number,%eax      e9 RR RR RR RR    to the stub, which begins with that mov
 *             0f 05            syscall               0f 05             still a trap: for who is past the mov, or comes
 *                                                                      straight here
 *     cave    0f 05            syscall               eb RR             to the cave
 *             (padding)                              e9 RR RR RR RR    to the stub
 *
 * Neither writes to the program's stack or cares for rax. A cave is never executed, so it is written first, as it
 * comes. Bytes that may be executed meanwhile go through three steps:
 *
 *     06 ..   guard: undefined, one byte long; who meets it goes to the stub (lazy/fault.c)
 *     06 RR   the other bytes, which nobody fetches any more
 *     eb RR   the first one
 *
 * with a barrier between, unless all of them lie in one aligned word of eight bytes, which is fetched as it is at one
 * moment. Put back in the same way. Without threads it is one write.
 *
 * With threads a cave keeps its jump when the site is put back: somebody may be on his way there. The stub does right
 * by him whenever he comes.
 */
#include "lazy/jump.h"
#include "base/string.h"
#include "lazy/bytes.h"
#include "lazy/codefd.h"
#include "lazy/debug.h"
#include "lazy/poke.h"
#include "lazy/sites.h"
#include <linux/errno.h>
#include "base/poison.h"

/* The guard could neither be passed nor taken away: the record stays, and each call is a SIGILL. */
enum { HALF_DONE = -EINPROGRESS };

struct change {
	uintptr_t at;
	unsigned size;
	uint8_t from[ZL_JUMP_SIZE], to[ZL_JUMP_SIZE];
};

static const uint8_t site_bytes[ZL_SITE_SIZE] = { ZL_OLD_FIRST, ZL_OLD_SECOND };

static bool was_opened;   /* by mprotect, for this change */

static long poke(uintptr_t to, const uint8_t *bytes, size_t size)
{
	long result = zl_poke(to, bytes, size);

	was_opened = was_opened || result == ZL_POKED_OPENED;
	return result;
}

static bool is_there(uintptr_t at, const uint8_t *bytes, unsigned size)
{
	uint8_t now[ZL_JUMP_SIZE];
	return zl_codefd_read(now, at, size) && memcmp(now, bytes, size) == 0;
}

static void make_jump(uint8_t bytes[ZL_JUMP_SIZE], uintptr_t from, uintptr_t to)
{
	int32_t relative = (int32_t)(to - (from + ZL_JUMP_SIZE));

	bytes[0] = ZL_JUMP;
	memcpy(bytes + 1, &relative, sizeof(relative));
}

static struct change change_of_cave(const struct zl_stub *stub)
{
	struct change change = { .at = stub->cave, .size = ZL_JUMP_SIZE };

	memcpy(change.from, stub->padding, ZL_JUMP_SIZE);
	make_jump(change.to, stub->cave, stub->code);
	return change;
}

/* Of what is executed. */
static struct change change_of(const struct zl_stub *stub)
{
	struct change change = { .at = stub->start };

	if (stub->cave) {
		change.size = ZL_SHORT_SIZE;
		memcpy(change.from, site_bytes, ZL_SITE_SIZE);
		change.to[0] = ZL_SHORT;
		change.to[1] = (uint8_t)(stub->cave - stub->after);
	} else {
		change.size = ZL_JUMP_SIZE;
		memcpy(change.from, stub->displaced, ZL_JUMP_SIZE);
		make_jump(change.to, stub->start, stub->code);
	}
	return change;
}

static struct change reverse(const struct change *change)
{
	struct change back = *change;

	memcpy(back.from, change->to, sizeof(back.from));
	memcpy(back.to, change->from, sizeof(back.to));
	return back;
}

static bool is_in_one_word(const struct change *change)
{
	return change->at % 8 + change->size <= 8;
}

static bool order(const struct change *change)
{
	return !zl_poke_is_raced() || is_in_one_word(change) || zl_poke_barrier() == 0;
}

/* Whatever was reached: the guard, then the rest, then the first byte, from the other end. */
static long take_back(const struct change *change, long result)
{
	if (poke(change->at + 1, change->from + 1, change->size - 1) >= 0 && order(change) &&
	    poke(change->at, change->from, 1) >= 0)
		return result;
	return HALF_DONE;
}

/* The guard alone has been reached: behind it nothing has changed that would have to be ordered. */
static long take_guard_back(const struct change *change, long result)
{
	return poke(change->at, change->from, 1) >= 0 ? result : HALF_DONE;
}

static long put_in_steps(const struct change *change)
{
	static const uint8_t guard[] = { ZL_GUARD };

	if (poke(change->at, guard, 1) < 0)
		return is_there(change->at, guard, 1) ? take_guard_back(change, ZL_UNWRITABLE) : (long)ZL_UNWRITABLE;
	if (!order(change))
		return take_guard_back(change, ZL_NO_BARRIER);
	if (poke(change->at + 1, change->to + 1, change->size - 1) < 0)
		return take_back(change, ZL_UNWRITABLE);
	if (!order(change))
		return take_back(change, ZL_NO_BARRIER);
	if (poke(change->at, change->to, 1) < 0)
		return take_back(change, ZL_UNWRITABLE);
	return ZL_OK;
}

static bool needs_steps(const struct change *change)
{
	return zl_poke_is_raced() || change->at / ZL_PAGE != (change->at + change->size - 1) / ZL_PAGE;
}

/* pre: `from` is there. */
static long put(const struct change *change)
{
	if (needs_steps(change))
		return put_in_steps(change);
	if (poke(change->at, change->to, change->size) >= 0)
		return ZL_OK;
	return poke(change->at, change->from, change->size) >= 0 || is_there(change->at, change->from, change->size) ?
		       (long)ZL_UNWRITABLE : HALF_DONE;
}

/* Nobody is there yet, or any more. */
static bool write_cave(const struct change *change)
{
	if (is_there(change->at, change->to, change->size))
		return true;   /* since the site was rewritten before */
	if (!is_there(change->at, change->from, change->size))
		return false;
	return poke(change->at, change->to, change->size) >= 0 && (!zl_poke_is_raced() || zl_poke_barrier() == 0);
}

/* The cave first, if there is one. */
static long lead_to(const struct zl_stub *stub)
{
	struct change change = change_of(stub), cave;

	if (stub->cave) {
		cave = change_of_cave(stub);
		if (!write_cave(&cave))
			return -EAGAIN;
	}
	return is_there(change.at, change.from, change.size) ? put(&change) : -EAGAIN;
}

long zl_jump_apply(struct zl_leaf *leaf, uintptr_t after, const struct zl_jump *jump)
{
	static const char *const words[2][2] = { { "mov, one write", "mov, three steps" },
						 { "cave, one write", "cave, three steps" } };
	struct zl_stub *stub;
	struct change change;
	long result;

	zl_poke_begin();
	was_opened = false;
	stub = zl_stub_make(after, jump);
	if (!stub) {
		zl_poke_end();
		return -ENOMEM;
	}
	zl_site_publish(leaf, after, ZL_SITE_JUMPED);
	result = lead_to(stub);
	zl_poke_end();
	change = change_of(stub);
	if (result == ZL_OK)
		zl_debug_rewritten(after - ZL_SITE_SIZE, words[stub->cave != 0][needs_steps(&change)], was_opened);
	if (result == HALF_DONE)
		result = ZL_OK;
	if (result != ZL_OK)
		zl_site_retract(leaf, after);
	return result;
}

static bool has_guard(const struct change *change)
{
	static const uint8_t guard[] = { ZL_GUARD };
	return is_there(change->at, guard, 1);
}

bool zl_jump_is_there(uintptr_t after)
{
	struct change change = change_of(zl_stub_find(after));
	return is_there(change.at, change.to, change.size) || has_guard(&change);
}

bool zl_jump_undo(uintptr_t after)
{
	struct zl_stub *stub = zl_stub_find(after);
	struct change change = change_of(stub), back = reverse(&change), cave;
	bool is_undone = true;

	zl_poke_begin();
	if (is_there(change.at, change.to, change.size)) {
		long result = put(&back);
		is_undone = result == ZL_OK || result == -EAGAIN;
	} else if (has_guard(&change)) {
		is_undone = take_back(&change, ZL_OK) == ZL_OK;
	}
	if (is_undone && stub->cave && !zl_poke_is_raced()) {
		cave = change_of_cave(stub);
		cave = reverse(&cave);
		if (is_there(cave.at, cave.from, cave.size))
			(void)poke(cave.at, cave.to, cave.size);
	}
	zl_poke_end();
	return is_undone;
}
