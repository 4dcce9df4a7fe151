/* pools.c - see pools.h */
#include "lazy/pools.h"
#include "base/os.h"
#include "base/slot.h"
#include "base/string.h"
#include "lazy/bytes.h"
#include "trampoline/entry.h"
#include <linux/mman.h>
#include "base/poison.h"

enum { STATIC_POOLS = 2, MOST_PIECES = 128 };

static_assert((size_t)ZL_POOL_CODE == ZL_PAGE && ZL_POOL_SLOTS * sizeof(struct zl_stub_data) <= ZL_PAGE, "pools.h");

struct zl_pool *_Atomic zl_pools;

static void put(uint8_t *to, const uint8_t *from, size_t size)
{
	memcpy(to, from, size);
}

/* The displacement that an instruction ends with, which begins at `at` and has `size` bytes before it. */
static void put_relative(uint8_t *at, size_t size, const void *target)
{
	int32_t relative = (int32_t)((uintptr_t)target - ((uintptr_t)at + size + sizeof(relative)));
	memcpy(at + size, &relative, sizeof(relative));
}

static void write_stub(uintptr_t slot)
{
	static const uint8_t load_rax[] = { 0x48, 0x8b, 0x05 }, save_r11[] = { 0x65, 0x4c, 0x89, 0x1c, 0x25, BLOCK_R11, 0, 0, 0 },
			     load_r11[] = { 0x4c, 0x8b, 0x1d }, jump[] = { 0xff, 0x25 };
	uint8_t *stub = (uint8_t *)slot;
	const struct zl_stub_data *data = zl_pool_data(slot);

	put(stub + ZL_STUB_NUMBER, load_rax, sizeof(load_rax));
	put_relative(stub + ZL_STUB_NUMBER, sizeof(load_rax), &data->number);
	put(stub + ZL_STUB_SAVE, save_r11, sizeof(save_r11));
	put(stub + ZL_STUB_AFTER, load_r11, sizeof(load_r11));
	put_relative(stub + ZL_STUB_AFTER, sizeof(load_r11), &data->after);
	put(stub + ZL_STUB_JUMP, jump, sizeof(jump));
	put_relative(stub + ZL_STUB_JUMP, sizeof(jump), zl_pool_data(zl_align_down(slot, ZL_PAGE)));
}

static bool write_piece(uintptr_t code)
{
	memset((void *)code, ZL_GUARD, ZL_POOL_CODE);
	for (size_t slot = 1; slot < ZL_POOL_SLOTS; slot++)
		write_stub(code + slot * ZL_STUB_SIZE);
	*(const void **)zl_pool_data(code) = zl_entry_stub;
	return zl_os_protect(code, ZL_POOL_CODE, PROT_READ | PROT_EXEC) == 0;
}

static bool write_code(uintptr_t code, size_t size)
{
	for (uintptr_t piece = code; piece < code + size; piece += ZL_POOL_SIZE)
		if (!write_piece(piece))
			return false;
	return true;
}

static struct zl_pool *spare;   /* of one piece, without code, or NULL */

static size_t records_size(unsigned pieces)
{
	return sizeof(struct zl_pool) + pieces * ZL_POOL_SLOTS * sizeof(struct zl_stub);
}

static struct zl_pool *take_records(unsigned pieces)
{
	static union {
		struct zl_pool pool;
		uint8_t bytes[sizeof(struct zl_pool) + ZL_POOL_SLOTS * sizeof(struct zl_stub)];
	} first[STATIC_POOLS];
	static unsigned taken;
	struct zl_pool *pool = pieces == 1 ? spare : NULL;
	long at;

	if (pool) {
		spare = NULL;
	} else if (pieces == 1 && taken < STATIC_POOLS) {
		pool = &first[taken++].pool;
	} else {
		at = zl_near_map((uintptr_t)first, records_size(pieces));
		if (zl_is_error(at))
			return NULL;
		zl_os_hide_from_dumps((uintptr_t)at, records_size(pieces));
		pool = (struct zl_pool *)at;
	}
	pool->slots = pieces * ZL_POOL_SLOTS;
	return pool;
}

static void give_records(struct zl_pool *pool)
{
	if (pool->slots == ZL_POOL_SLOTS)
		spare = pool;
	else
		zl_os_unmap((uintptr_t)pool, records_size(pool->slots / ZL_POOL_SLOTS));
}

static uintptr_t map_code(uintptr_t address, size_t size)
{
	long code = zl_near_map(address, size);

	if (zl_is_error(code))
		return 0;
	if (write_code((uintptr_t)code, size))
		return (uintptr_t)code;
	zl_os_unmap((uintptr_t)code, size);
	return 0;
}

/* Half as many as there are near by already. */
static unsigned count_pieces(uintptr_t address)
{
	unsigned pieces = 0;

	for (const struct zl_pool *pool = zl_pools_first(); pool; pool = pool->next)
		if (zl_pool_is_near(pool, address))
			pieces += pool->slots / ZL_POOL_SLOTS;
	return pieces < 4 ? 1 : pieces / 2 < MOST_PIECES ? pieces / 2 : MOST_PIECES;
}

/* With the records given, or new ones for so many pieces. */
static struct zl_pool *make(uintptr_t address, struct zl_pool *old, unsigned pieces)
{
	struct zl_pool *pool = old ? old : take_records(pieces);
	uintptr_t code = pool ? map_code(address, zl_pool_size(pool)) : 0;

	if (code) {
		pool->code = code;
		pool->used = 1;
		return pool;
	}
	if (pool && !old)
		give_records(pool);
	return NULL;
}

struct zl_pool *zl_pool_add(uintptr_t address, struct zl_pool *old)
{
	unsigned pieces = old ? old->slots / ZL_POOL_SLOTS : count_pieces(address);
	struct zl_pool *pool = make(address, old, pieces);

	if (!pool && pieces > 1)
		pool = make(address, NULL, 1);
	if (pool && !pool->is_listed) {
		pool->is_listed = true;
		pool->next = zl_pools_first();
		atomic_store_explicit(&zl_pools, pool, memory_order_release);   /* pairs with zl_pools_first() */
	}
	return pool;
}

void zl_pool_empty(struct zl_pool *pool)
{
	if (pool->code)
		zl_os_unmap(pool->code, zl_pool_size(pool));
	pool->code = 0;
}
