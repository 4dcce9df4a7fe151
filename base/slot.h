/* slot.h - the memory of one thread, and the offsets in it that assembly uses
 *
 * A slot is a power-of-two piece of address space, aligned to its size, so that code on one of the agent's own
 * stacks finds the block by masking rsp:
 *
 *     guard | nested stack | guard | hook stack | guard | signal stack | control | block
 *
 * hook stack    calls of the program that a hook, or an owner of a special call, looks at
 * nested stack  calls that hook code itself makes meanwhile
 * signal stack  the kernel's real alternate signal stack
 * control       what fs points to while hook code runs (threads/control.c)
 */
#ifndef ZL_BASE_SLOT_H
#define ZL_BASE_SLOT_H

#define SLOT_SIZE	0x40000
#define SLOT_GUARD	0x1000
#define SLOT_NESTED	0x1000
#define SLOT_NESTED_TOP	0x8000
#define SLOT_HOOK	0x9000
#define SLOT_HOOK_TOP	0x27000
#define SLOT_SIGNAL	0x28000
#define SLOT_CONTROL	0x38000
#define SLOT_BLOCK	0x3e000

/* struct zl_block, what the entry, gate and exit use (gs points at it): in the first cache line what every call needs,
 * in the second what hooks that preserve everything need besides, and what is rare. */
#define BLOCK_R11	0
#define BLOCK_RET	8
#define BLOCK_TOP	16
#define BLOCK_FRAME	24
#define BLOCK_GATE_RSP	32
#define BLOCK_LEFT_TO	40
#define BLOCK_LEFT_WITH	48
#define BLOCK_NOTED	56
#define BLOCK_HAS_CONTROL 60
#define BLOCK_HAS_AGAIN	61
#define BLOCK_CONTROL	64
#define BLOCK_PROGRAM_FS 72
#define BLOCK_SELF	80
#define BLOCK_NEXT_FREE	88
#define BLOCK_CHILD_RSP	96
#define BLOCK_TARGET	104

#endif
