/* slots.c - the life of per-thread blocks
 *
 * A slot is mapped once and kept: a thread that ends pushes its block on the free list in its last instructions
 * (trampoline/gate.S), a new thread pops one. Pops are serialised by the lock, so a compare-and-swap that meets the
 * same head again has met the same list.
 *
 * Each range of the agent's makes the program's memory calls a little slower (base/ranges.c). So the more slots there
 * are, the more are mapped in one piece, up to LARGEST_BATCH; their stacks are opened one by one, as they are taken.
 *
 * A process may have 65,530 mappings (vm.max_map_count), and each thread takes two for its own stack. So guards are no
 * mappings where the kernel can do that (Linux 6.13), and slots side by side are one. Before, a slot is split in six by
 * its guards, and only the first MOST_SPLIT slots have them.
 */
#include "threads/slots.h"
#include "base/os.h"
#include "base/seccomp.h"
#include "base/string.h"
#include "threads/control.h"
#include "trampoline/entry.h"
#include <asm/prctl.h>
#include <linux/mman.h>
#include "base/poison.h"

enum { LARGEST_BATCH = 128, MOST_SPLIT = 4096 };   /* 32 MiB; three mappings in eight of the kernel's limit */

struct zl_lock zl_slots_lock;
struct zl_block *_Atomic zl_free_blocks;
static struct zl_block *_Atomic reserved;

static struct zl_block *pop(void)
{
	struct zl_block *block = atomic_load_explicit(&zl_free_blocks, memory_order_acquire);
	while (block && !atomic_compare_exchange_weak_explicit(&zl_free_blocks, &block, block->next_free,
							       memory_order_acquire, memory_order_acquire))
		;
	return block;
}

static bool has_guards(uintptr_t slot)
{
	return zl_os_guard(slot, SLOT_GUARD) == 0 &&
	       zl_os_guard(slot + SLOT_NESTED_TOP, SLOT_HOOK - SLOT_NESTED_TOP) == 0 &&
	       zl_os_guard(slot + SLOT_HOOK_TOP, SLOT_SIGNAL - SLOT_HOOK_TOP) == 0;
}

/* What is between the guards. */
static bool open_split(uintptr_t slot)
{
	return zl_os_protect(slot + SLOT_NESTED, SLOT_NESTED_TOP - SLOT_NESTED, PROT_READ | PROT_WRITE) == 0 &&
	       zl_os_protect(slot + SLOT_HOOK, SLOT_HOOK_TOP - SLOT_HOOK, PROT_READ | PROT_WRITE) == 0 &&
	       zl_os_protect(slot + SLOT_SIGNAL, SLOT_SIZE - SLOT_SIGNAL, PROT_READ | PROT_WRITE) == 0;
}

static bool open_stacks(uintptr_t slot)
{
	static _Atomic unsigned splits;

	if (!has_guards(slot) && atomic_load_explicit(&splits, memory_order_relaxed) < MOST_SPLIT) {
		atomic_fetch_add_explicit(&splits, 1, memory_order_relaxed);
		return open_split(slot);
	}
	return zl_os_protect(slot, SLOT_SIZE, PROT_READ | PROT_WRITE) == 0;
}

/* `count` slots in one piece, or 0. */
static uintptr_t map_slots(size_t count, int protection)
{
	size_t size = (count + 1) * SLOT_SIZE;
	long piece = zl_os_map(0, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	uintptr_t start = (uintptr_t)piece, slot = zl_align_up(start, SLOT_SIZE), end = slot + count * SLOT_SIZE;

	if (zl_is_error(piece))
		return 0;
	zl_raw(__NR_madvise, piece, size, MADV_NOHUGEPAGE);   /* a page or two of each stack are used */
	if (slot > start)
		zl_os_unmap(start, slot - start);
	zl_os_unmap(end, start + size - end);
	return slot;
}

/* Mapped, and not taken yet: PROT_NONE, which the guards remain. locks: zl_slots_lock */
static uintptr_t fresh, fresh_end;
static size_t mapped;

static bool map_fresh(size_t count)
{
	fresh = fresh_end = map_slots(count, PROT_NONE);
	if (!fresh)
		return false;
	fresh_end += count * SLOT_SIZE;
	mapped += count;
	return true;
}

/* A slot that nobody has had yet, or 0. locks: zl_slots_lock */
static uintptr_t take_fresh(void)
{
	size_t batch = mapped / 2 < LARGEST_BATCH ? mapped / 2 : LARGEST_BATCH;

	if (fresh == fresh_end && !(batch > 1 && map_fresh(batch)) && !map_fresh(1))
		return 0;
	fresh += SLOT_SIZE;
	return fresh - SLOT_SIZE;
}

static struct zl_block *open_slot(uintptr_t slot)
{
	if (slot && open_stacks(slot))
		return zl_block_of_slot(slot);
	if (slot)
		zl_os_unmap(slot, SLOT_SIZE);
	return NULL;
}

static bool can_protect(void)
{
	return zl_seccomp_lets(zl_seccomp_here(), __NR_mprotect, 0, SLOT_GUARD, PROT_READ | PROT_WRITE);
}

/* Without guards, where a filter of the program's forbids mprotect. */
static struct zl_block *map_open(void)
{
	uintptr_t slot = map_slots(1, PROT_READ | PROT_WRITE);
	return slot ? zl_block_of_slot(slot) : NULL;
}

uint8_t zl_filter_all[ZL_FILTER_SIZE];

void zl_slots_start(void)
{
	for (size_t i = 0; i < ZL_FILTER_SIZE; i++)
		zl_filter_all[i] = zl_filter[i] | ZL_SPECIAL;
}

static const uint8_t *filter_of(const struct zl_block *block)
{
	if (block->is_hook_thread)
		return zl_filter_nested;
	if (block->vsud.is_on || block->kept_pending)
		return zl_filter_all;
	return block->has_foreign_fs ? zl_filter_foreign : zl_filter;
}

void zl_slot_choose_filter(struct zl_block *block)
{
	const uint8_t *filter;

	do {   /* again, if the handler has kept a signal in between */
		filter = filter_of(block);
		zl_slot_first_frame(block)->filter = filter;
		atomic_signal_fence(memory_order_seq_cst);
	} while (filter != filter_of(block));
}

void zl_slot_set_frames(struct zl_block *block)
{
	zl_slot_first_frame(block)->self = zl_slot_first_frame(block);
	zl_slot_choose_filter(block);
	zl_slot_nested_frame(block)->self = zl_slot_nested_frame(block);
	zl_slot_nested_frame(block)->filter = zl_filter_nested;
	zl_slot_leave_hook(block);
}

void zl_slot_set_thread(struct zl_block *block)
{
	int32_t thread = (int32_t)zl_raw(__NR_gettid);
	zl_slot_first_frame(block)->call.thread = zl_slot_nested_frame(block)->call.thread = thread;
	zl_control_set_thread(block, thread);
}

static struct zl_block *begin(struct zl_block *block)
{
	if (block) {
		uintptr_t control = block->control;
		memset(block, 0, sizeof(*block));
		block->self = block;
		block->control = control;
		zl_slot_set_frames(block);
	}
	return block;
}

struct zl_block *zl_slot_take(void)
{
	bool has_guards = can_protect();
	struct zl_block *block;
	uintptr_t slot;

	zl_lock(&zl_slots_lock);
	block = pop();
	slot = block || !has_guards ? 0 : take_fresh();
	zl_unlock(&zl_slots_lock);
	if (!block)
		block = has_guards ? open_slot(slot) : map_open();
	return begin(block);
}

struct zl_block *zl_slot_take_reserved(void)
{
	struct zl_block *block = atomic_exchange(&reserved, NULL);
	return block ? begin(block) : zl_slot_take();
}

void zl_slot_reserve(struct zl_block *block)
{
	struct zl_block *none = NULL;
	if (!atomic_compare_exchange_strong(&reserved, &none, block))
		zl_slot_give(block);
}

void zl_slot_give(struct zl_block *block)
{
	struct zl_block *head = atomic_load_explicit(&zl_free_blocks, memory_order_relaxed);
	do
		block->next_free = head;
	while (!atomic_compare_exchange_weak_explicit(&zl_free_blocks, &head, block,
						      memory_order_release, memory_order_relaxed));
}

stack_t zl_slot_real_stack(const struct zl_block *block)
{
	return (stack_t){ .ss_sp = (void *)(zl_slot_of(block) + SLOT_SIGNAL), .ss_size = SLOT_CONTROL - SLOT_SIGNAL };
}

void zl_slot_install(struct zl_block *block)
{
	stack_t stack = zl_slot_real_stack(block);
	zl_raw(__NR_arch_prctl, ARCH_SET_GS, block);
	zl_raw(__NR_sigaltstack, &stack, 0);
}
