/* slots.h - the life of per-thread blocks */
#ifndef ZL_THREADS_SLOTS_H
#define ZL_THREADS_SLOTS_H

#include "base/block.h"
#include "base/lock.h"
#include "trampoline/entry.h"

extern struct zl_lock zl_slots_lock;
/* Blocks of threads that have ended. Pushed by zl_gate_exit without a lock, popped under zl_slots_lock only. */
extern struct zl_block *_Atomic zl_free_blocks;

/* As zl_filter, but that every number has ZL_SPECIAL, so that every call comes to zl_dispatch(): for threads that keep a
 * signal, or have a dispatch of their own (vsud.c). */
extern uint8_t zl_filter_all[ZL_FILTER_SIZE];
/* When zl_filter is complete. @init */
void zl_slots_start(void);
/* After a change of what the filter of the first frame hangs on. */
void zl_slot_choose_filter(struct zl_block *block);

/* Set what stays in the two frames of a block; anew when is_hook_thread, or the first frame as a whole, has changed. */
void zl_slot_set_frames(struct zl_block *block);
/* The calling thread's block gets its id. */
void zl_slot_set_thread(struct zl_block *block);
/* A block, zeroed but for self, next_free and control, with its stacks; NULL when there is no memory. */
struct zl_block *zl_slot_take(void);
/* Give a block back that no thread stands on. */
void zl_slot_give(struct zl_block *block);
/* The same two for the child of a vfork: one slot stays in reserve, so that only the first needs address space. */
struct zl_block *zl_slot_take_reserved(void);
void zl_slot_reserve(struct zl_block *block);

/* Make the calling thread's kernel state fit the block: gs and the real alternate signal stack. */
void zl_slot_install(struct zl_block *block);
/* What the kernel knows as the alternate stack of this block's thread. */
stack_t zl_slot_real_stack(const struct zl_block *block);

/* Where frames begin: on the hook stack, or on the nested one while hook code runs. */
static inline uintptr_t zl_slot_of(const struct zl_block *block)
{
	return (uintptr_t)block - SLOT_BLOCK;
}

static inline struct zl_frame *zl_slot_first_frame(const struct zl_block *block)
{
	return (struct zl_frame *)(zl_slot_of(block) + SLOT_HOOK_TOP - FRAME_SIZE);
}

static inline bool zl_slot_is_in_hook(const struct zl_block *block)
{
	return block->top != zl_slot_first_frame(block);
}

static inline struct zl_frame *zl_slot_nested_frame(const struct zl_block *block)
{
	return (struct zl_frame *)(zl_slot_of(block) + SLOT_NESTED_TOP - FRAME_SIZE);
}

static inline void zl_slot_enter_hook(struct zl_block *block)
{
	block->top = zl_slot_nested_frame(block);
}

static inline void zl_slot_leave_hook(struct zl_block *block)
{
	block->top = zl_slot_first_frame(block);
}

#endif
