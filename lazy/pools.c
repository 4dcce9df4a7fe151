/* pools.c - see pools.h */
#include "lazy/pools.h"
#include "base/os.h"
#include "base/slot.h"
#include "base/string.h"
#include "lazy/bytes.h"
#include "trampoline/entry.h"
#include <linux/mman.h>
#include "base/poison.h"

enum { STATIC_POOLS = 2 };

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

static void write_stub(uintptr_t code, size_t slot)
{
	static const uint8_t load_rax[] = { 0x48, 0x8b, 0x05 }, save_r11[] = { 0x65, 0x4c, 0x89, 0x1c, 0x25, BLOCK_R11, 0, 0, 0 },
			     load_r11[] = { 0x4c, 0x8b, 0x1d }, jump[] = { 0xff, 0x25 };
	uint8_t *stub = (uint8_t *)code + slot * ZL_STUB_SIZE;
	const struct zl_stub_data *data = zl_pool_data(code, slot);

	put(stub + ZL_STUB_NUMBER, load_rax, sizeof(load_rax));
	put_relative(stub + ZL_STUB_NUMBER, sizeof(load_rax), &data->number);
	put(stub + ZL_STUB_SAVE, save_r11, sizeof(save_r11));
	put(stub + ZL_STUB_AFTER, load_r11, sizeof(load_r11));
	put_relative(stub + ZL_STUB_AFTER, sizeof(load_r11), &data->after);
	put(stub + ZL_STUB_JUMP, jump, sizeof(jump));
	put_relative(stub + ZL_STUB_JUMP, sizeof(jump), zl_pool_data(code, 0));
}

static bool write_code(uintptr_t code)
{
	memset((void *)code, ZL_GUARD, ZL_POOL_CODE);
	for (size_t slot = 1; slot < ZL_POOL_SLOTS; slot++)
		write_stub(code, slot);
	*(const void **)zl_pool_data(code, 0) = zl_entry_stub;
	return zl_os_protect(code, ZL_POOL_CODE, PROT_READ | PROT_EXEC) == 0;
}

static struct zl_pool *take_records(void)
{
	static struct zl_pool first[STATIC_POOLS];
	static unsigned taken;
	long at;

	if (taken < STATIC_POOLS)
		return &first[taken++];
	at = zl_near_map((uintptr_t)first, sizeof(struct zl_pool));
	if (zl_is_error(at))
		return NULL;
	zl_os_hide_from_dumps((uintptr_t)at, sizeof(struct zl_pool));
	return (struct zl_pool *)at;
}

static uintptr_t map_code(uintptr_t address)
{
	long code = zl_near_map(address, ZL_POOL_SIZE);

	if (zl_is_error(code))
		return 0;
	if (write_code((uintptr_t)code))
		return (uintptr_t)code;
	zl_os_unmap((uintptr_t)code, ZL_POOL_SIZE);
	return 0;
}

struct zl_pool *zl_pool_add(uintptr_t address, struct zl_pool *old)
{
	static struct zl_pool *spare;   /* without code */
	struct zl_pool *pool = old ? old : spare ? spare : take_records();
	uintptr_t code = pool ? map_code(address) : 0;

	if (!old)
		spare = code ? NULL : pool;
	if (!code)
		return NULL;
	pool->used = 1;
	pool->code = code;
	if (!pool->is_listed) {
		pool->is_listed = true;
		pool->next = zl_pools_first();
		atomic_store_explicit(&zl_pools, pool, memory_order_release);   /* pairs with zl_pools_first() */
	}
	return pool;
}

void zl_pool_empty(struct zl_pool *pool)
{
	if (pool->code)
		zl_os_unmap(pool->code, ZL_POOL_SIZE);
	pool->code = 0;
}
