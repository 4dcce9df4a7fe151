/* stubs.c - see stubs.h
 *
 * A thread may stand in a stub, or before it at the jump, when its site is dropped. So a stub stays what it is, and
 * belongs to the site's address: when that site is rewritten again in the same way, it gets the same stub. Another site
 * gets it only when MOST_IDLE others have come to rest after it, and when its own site's bytes are no `syscall` any
 * more, and don't lead to it either. Then whoever stood in it would natively stand at bytes that are gone, which no
 * program lets happen.
 */
#include "lazy/stubs.h"
#include "base/copy.h"
#include "base/sites.h"
#include "base/string.h"
#include "lazy/bysite.h"
#include "lazy/bytes.h"
#include "lazy/codefd.h"
#include "lazy/pools.h"
#include "base/poison.h"

enum { MOST_IDLE = 1024, IDLE_TRIES = 16, FEW_POOLS = 8 };

static struct zl_stub *idle, **last_idle = &idle;   /* by next_idle, the first to rest first */
static unsigned idles;

static struct zl_stub *find(uintptr_t after, bool is_live)
{
	struct zl_stub *stub = zl_bysite_first(after);

	while (stub && (stub->after != after || stub->is_live < is_live))
		stub = stub->next_same;
	return stub;
}

struct zl_stub *zl_stub_find(uintptr_t after)
{
	return find(after, true);
}

void zl_stub_extent(uintptr_t after, uintptr_t *low, uintptr_t *high)
{
	const struct zl_stub *stub = zl_stub_find(after);

	*low = stub->start;
	*high = after;
	if (stub->cave && stub->cave < *low)
		*low = stub->cave;
	if (stub->cave && stub->cave + ZL_JUMP_SIZE > *high)
		*high = stub->cave + ZL_JUMP_SIZE;
}

void zl_stub_rest(uintptr_t after)
{
	struct zl_stub *stub = zl_stub_find(after);

	stub->is_live = false;
	if (stub->is_queued)
		return;
	stub->is_queued = true;
	stub->next_idle = NULL;
	*last_idle = stub;
	last_idle = &stub->next_idle;
	idles++;
}

/* Where the jump leads whose bytes these are, 0 if they are none. */
static uintptr_t target_of(uintptr_t at, const uint8_t bytes[ZL_JUMP_SIZE])
{
	int32_t relative;

	if (bytes[0] != ZL_JUMP)
		return 0;
	memcpy(&relative, bytes + 1, sizeof(relative));
	return at + ZL_JUMP_SIZE + (uintptr_t)(intptr_t)relative;
}

const struct zl_stub *zl_stub_at(uintptr_t pc, size_t *offset)
{
	for (struct zl_pool *pool = zl_pools_first(); pool; pool = pool->next)
		if (pool->code && pc - pool->code < zl_pool_size(pool)) {
			const struct zl_stub *stub = &pool->stub[zl_pool_slot(pool, pc)];
			*offset = pc % ZL_STUB_SIZE;
			return stub->after ? stub : NULL;
		}
	return NULL;
}

/* The stub that a jump at `at` leads to, as it was made by the agent. */
static const struct zl_stub *led_to_by(uintptr_t at, const uint8_t bytes[ZL_JUMP_SIZE])
{
	uintptr_t target = target_of(at, bytes);
	size_t offset = 0;
	const struct zl_stub *stub = target ? zl_stub_at(target, &offset) : NULL;

	return stub && target == stub->code && (stub->cave ? stub->cave : stub->start) == at ? stub : NULL;
}

static const struct zl_stub *led_to_from(uintptr_t at)
{
	uint8_t bytes[ZL_JUMP_SIZE];
	return zl_codefd_read(bytes, at, sizeof(bytes)) ? led_to_by(at, bytes) : NULL;
}

static const struct zl_stub *stub_of_cave(uintptr_t pc)
{
	const struct zl_stub *stub = led_to_from(pc);
	return stub && stub->cave == pc ? stub : NULL;
}

bool zl_stub_place(uintptr_t pc, struct zl_stub_place *place)
{
	size_t offset = ZL_STUB_SAVE;
	const struct zl_stub *stub = zl_stub_at(pc, &offset);

	if (!stub)
		stub = stub_of_cave(pc);
	if (!stub)
		return false;
	place->pc = offset < ZL_STUB_SAVE ? stub->start : stub->after - ZL_SITE_SIZE;
	place->is_displaced = stub->length && offset == ZL_STUB_SAVE;
	place->has_continuation = offset > ZL_STUB_AFTER;
	return true;
}

/* The live one of two. */
static const struct zl_stub *better(const struct zl_stub *a, const struct zl_stub *b)
{
	return !a || (b && b->is_live) ? b : a;
}

static const struct zl_stub *from_any(uintptr_t pc)
{
	const struct zl_stub *stub = NULL;

	for (struct zl_pool *pool = zl_pools_first(); pool; pool = pool->next)
		for (unsigned i = 1; i < pool->used; i++)
			if (pool->stub[i].start == pc)
				stub = better(stub, &pool->stub[i]);
	return stub;
}

/* Of a site that the jump may belong to. */
static const struct zl_stub *from_site(uintptr_t pc, uintptr_t after)
{
	const struct zl_stub *stub = NULL;

	for (const struct zl_stub *s = zl_bysite_first(after); s; s = s->next_same)
		if (s->after == after && s->start == pc)
			stub = better(stub, s);
	return stub;
}

const struct zl_stub *zl_stub_from(uintptr_t pc)
{
	static const unsigned lengths[] = { 0, ZL_MOV_SIZE, ZL_STUB_MOST };   /* of what may be displaced */
	uint32_t turn = zl_bysite_turn();
	const struct zl_stub *stub = NULL;

	for (size_t i = 0; i < ZL_ARRAY_SIZE(lengths); i++)
		stub = better(stub, from_site(pc, pc + lengths[i] + ZL_SITE_SIZE));
	return zl_bysite_is_quiet(turn) ? stub : from_any(pc);
}

void zl_stubs_restore(uint8_t *bytes, uintptr_t start, size_t size)
{
	for (size_t i = 0; i + ZL_SITE_SIZE <= size; i++) {
		const struct zl_stub *stub;

		if (bytes[i] == ZL_JUMP && i + ZL_JUMP_SIZE <= size && (stub = led_to_by(start + i, bytes + i)) != NULL) {
			memcpy(bytes + i, stub->cave ? stub->padding : stub->displaced, ZL_JUMP_SIZE);
		} else if (bytes[i] == ZL_SHORT && zl_site_state(start + i + ZL_SITE_SIZE) == ZL_SITE_JUMPED) {
			bytes[i] = ZL_OLD_FIRST;
			bytes[i + 1] = ZL_OLD_SECOND;
		}
	}
}

bool zl_stubs_claim(uintptr_t start, uintptr_t end, uintptr_t cave, uintptr_t after)
{
	for (uintptr_t at = start; at < end; at++) {
		const struct zl_stub *stub = stub_of_cave(at);
		if (stub && (at != cave || stub->after != after))
			return true;
	}
	return false;
}

/* What a mov moves to rax: b8 imm32, or 48 c7 c0 imm32, which extends the sign. */
static uint64_t number_of(const struct zl_stub *stub)
{
	int32_t number;

	memcpy(&number, stub->displaced + stub->length - sizeof(number), sizeof(number));
	return stub->length == ZL_MOV_SIZE ? (uint32_t)number : (uint64_t)(int64_t)number;
}

/* As zl_copy_in(), but that a page where it has failed is not tried again right after: it costs a fault. */
static bool read_jump(uint8_t bytes[ZL_JUMP_SIZE], uintptr_t from, uintptr_t *unreadable)
{
	bool is_read = from / ZL_PAGE != *unreadable && zl_copy_in(bytes, from, ZL_JUMP_SIZE);

	if (!is_read && from % ZL_PAGE + ZL_JUMP_SIZE <= ZL_PAGE)
		*unreadable = from / ZL_PAGE;
	return is_read;
}

static bool is_copied(const struct zl_stub *stub, uintptr_t pc, struct zl_stub_copy *copy, uintptr_t *unreadable)
{
	uintptr_t from = stub->cave ? stub->cave : stub->start, to = from + (pc - stub->code);
	uint8_t bytes[ZL_JUMP_SIZE], site[ZL_SITE_SIZE];

	copy->site = stub->after - ZL_SITE_SIZE + (to - from);
	if (to == from || !read_jump(bytes, to, unreadable) || target_of(from, bytes) != stub->code ||
	    !zl_copy_in(site, copy->site, sizeof(site)))
		return false;
	copy->has_number = stub->length;
	copy->number = stub->length ? number_of(stub) : 0;
	return stub->cave ? site[0] == ZL_SHORT && site[1] == (uint8_t)(stub->cave - stub->after) :
			    site[0] == ZL_OLD_FIRST && site[1] == ZL_OLD_SECOND;
}

bool zl_stub_of_copy(uintptr_t pc, struct zl_stub_copy *copy)
{
	uintptr_t unreadable = ~0UL;

	for (struct zl_pool *pool = zl_pools_first(); pool; pool = pool->next)
		for (unsigned i = 1; i < pool->used; i++)
			if (pool->stub[i].after && is_copied(&pool->stub[i], pc, copy, &unreadable))
				return true;
	return false;
}

static bool is_there(uintptr_t at, const uint8_t *bytes, size_t size)
{
	uint8_t now[ZL_STUB_MOST];
	return zl_codefd_read(now, at, size) && memcmp(now, bytes, size) == 0;
}

/* Does nobody come to it any more, or stand in it? */
static bool is_reusable(const struct zl_stub *stub)
{
	static const uint8_t site[ZL_SITE_SIZE] = { ZL_OLD_FIRST, ZL_OLD_SECOND };

	if (led_to_from(stub->cave ? stub->cave : stub->start))
		return false;
	return !is_there(stub->after - ZL_SITE_SIZE, site, sizeof(site)) ||
	       !is_there(stub->start, stub->displaced, stub->length);
}

/* One that has rested for long. */
static struct zl_stub *take_idle(uintptr_t after)
{
	for (int i = 0; i < IDLE_TRIES && idles > MOST_IDLE; i++) {
		struct zl_stub *stub = idle;

		idle = stub->next_idle;
		stub->is_queued = false;
		if (stub->is_live || !stub->after) {
			idles--;
		} else if (zl_is_near(after, 1, stub->slot, ZL_POOL_SIZE) && is_reusable(stub)) {
			idles--;
			zl_bysite_remove(stub);
			return stub;
		} else {   /* not yet */
			stub->is_queued = true;
			stub->next_idle = NULL;
			*last_idle = stub;
			last_idle = &stub->next_idle;
		}
	}
	return NULL;
}

/* Does nobody need its code any more? Looked for where there are many: each 2 GiB of code need one of their own. */
static bool is_unused(const struct zl_pool *pool)
{
	for (unsigned i = 1; i < pool->used; i++)
		if (pool->stub[i].after && (pool->stub[i].is_live || !is_reusable(&pool->stub[i])))
			return false;
	return true;
}

/* Its stubs leave the queue when their turn comes. */
static void empty(struct zl_pool *pool)
{
	for (unsigned i = 1; i < pool->used; i++) {
		struct zl_stub *stub = &pool->stub[i];

		if (stub->after)
			zl_bysite_remove(stub);
		stub->after = stub->start = stub->cave = 0;
	}
	pool->used = pool->slots;
	zl_pool_empty(pool);
}

static struct zl_pool *add_pool(uintptr_t after)
{
	static unsigned added;
	struct zl_pool *unused = added < FEW_POOLS ? NULL : zl_pools_first();

	while (unused && !is_unused(unused))
		unused = unused->next;
	if (unused)
		empty(unused);
	added++;
	return zl_pool_add(after, unused);
}

static struct zl_stub *take_new(uintptr_t after, bool may_map)
{
	struct zl_pool *pool = zl_pools_first();
	struct zl_stub *stub;

	while (pool && (pool->used == pool->slots || !zl_pool_is_near(pool, after)))
		pool = pool->next;
	if (!pool && may_map)
		pool = add_pool(after);
	if (!pool)
		return NULL;
	stub = &pool->stub[pool->used];
	stub->slot = zl_pool_stub(pool, pool->used);
	stub->data = zl_pool_data(stub->slot);
	pool->used++;
	if (pool->used < pool->slots && pool->used % ZL_POOL_SLOTS == 0)
		pool->used++;                  /* what all of a piece read */
	return stub;
}

/* One that this very site had. */
static struct zl_stub *find_resting(uintptr_t after, const struct zl_jump *jump)
{
	struct zl_stub *stub = zl_bysite_first(after);

	while (stub && (stub->after != after || stub->cave != jump->cave || stub->length != jump->length ||
			memcmp(stub->displaced, jump->displaced, jump->length) != 0 ||
			(jump->cave && memcmp(stub->padding, jump->padding, ZL_JUMP_SIZE) != 0)))
		stub = stub->next_same;
	return stub;
}

static struct zl_stub *take(uintptr_t after)
{
	struct zl_stub *stub = take_new(after, false);

	if (!stub)
		stub = take_idle(after);
	return stub ? stub : take_new(after, true);
}

static void fill(struct zl_stub *stub, uintptr_t after, const struct zl_jump *jump)
{
	stub->start = jump->cave ? after - ZL_SITE_SIZE : after - ZL_SITE_SIZE - jump->length;
	stub->cave = jump->cave;
	stub->length = jump->length;
	stub->code = stub->slot + (jump->cave ? ZL_STUB_SAVE : ZL_STUB_NUMBER);
	memcpy(stub->displaced, jump->displaced, sizeof(stub->displaced));
	memcpy(stub->padding, jump->padding, sizeof(stub->padding));
	stub->data->number = jump->length ? number_of(stub) : 0;
	stub->data->after = after;
	stub->after = after;
	zl_bysite_add(stub);
}

struct zl_stub *zl_stub_make(uintptr_t after, const struct zl_jump *jump)
{
	struct zl_stub *stub = find_resting(after, jump);

	if (!stub) {
		stub = take(after);
		if (!stub)
			return NULL;
		fill(stub, after, jump);
	}
	stub->is_live = true;
	return stub;
}
