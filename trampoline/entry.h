/* entry.h - the labels and functions of entry.S, gate.S and vector.S, and what they call */
#ifndef ZL_TRAMPOLINE_ENTRY_H
#define ZL_TRAMPOLINE_ENTRY_H

#include "trampoline/frame.h"

/* Called by entry.S; defined by upper layers. @entry: general registers only. */
long zl_dispatch(struct zl_frame *frame, unsigned bits); /* agent/dispatch.c; bits: of the filter's entry */
_Noreturn void zl_entry_block_lost(uintptr_t pc);       /* threads/owners.c */
void zl_prepare_delivery(struct zl_frame *frame);       /* threads/deliver.c */
long zl_hooks_interrupted(struct zl_frame *frame);      /* agent/hooks.c */
void zl_child_begin(struct zl_block *block);            /* threads/child.c */

/* Bit ZL_WANTED of an entry: a hook wants the number; ZL_PRESERVE: one that may use vector registers does;
 * ZL_SPECIAL: an owner does; ZL_FIRST times the index of the outermost hook that wants it. 512: all other numbers.
 * ZL_I386 stands for the entry of int $0x80. */
enum { ZL_FILTER_SIZE = 513, ZL_WANTED = 1, ZL_PRESERVE = 2, ZL_SPECIAL = 4,
       ZL_FIRST = 8, ZL_FIRST_MASK = 0x78, ZL_I386 = 0x80 };
extern uint8_t zl_filter[ZL_FILTER_SIZE];        /* for calls of the program (but see threads/vsud.h) */
extern uint8_t zl_filter_nested[ZL_FILTER_SIZE]; /* for calls of hook code: owners only */
/* As zl_filter, for threads where a hook that keeps to general registers needs another fs: what is wanted is
 * ZL_SPECIAL, too, and goes to zl_dispatch. */
extern uint8_t zl_filter_foreign[ZL_FILTER_SIZE];

/* What zl_hooked calls by itself, without zl_dispatch: hooks that keep to general registers, and, by preserve.S, those
 * that do not, if fs can be set without a call; on_call NULL: the other kind. Filled by agent/hooks.c. */
enum { ZL_DIRECT = 16 };
extern struct zl_direct {
	long (*on_call)(struct zlazy_call *call, void *data);
	void *data;
} zl_direct[ZL_DIRECT], zl_direct_preserving[ZL_DIRECT];
static_assert(sizeof(struct zl_direct) == 16, "entry.S scales by it");
static_assert(ZL_WANTED == BITS_WANTED && ZL_PRESERVE == BITS_PRESERVE && ZL_SPECIAL == BITS_SPECIAL &&
	      ZL_FIRST_MASK == BITS_FIRST && ZL_I386 == BITS_I386, "frame.h");
static_assert(ZL_FIRST == LEVEL_STEP, "entry.S makes a level of a filter's entry");

/* From the SIGSYS handler to zl_entry_jump, behind the point where it has filled the frame. The context has extended
 * state in xsave's form. */
_Noreturn void zl_entry_trapped(struct zl_frame *frame, const struct sigcontext *context);

/* The result, or ZLAZY_INTERRUPTED with frame->state ZL_FRAME_AGAIN. pre: block->frame == frame */
long zl_gate_call(struct zl_frame *frame);
long zl_gate_i386(struct zl_frame *frame);
long zl_gate_clone(struct zl_frame *frame, struct zl_block *child);
_Noreturn void zl_child_leave(struct zl_frame *frame);
_Noreturn void zl_gate_sigreturn(struct ucontext *context);
_Noreturn void zl_gate_resume(struct ucontext *context);
_Noreturn void zl_gate_exit(struct zl_block *block, int status, struct zl_block *_Atomic *free_list, long number);

/* Where a hook returns to that preserve.S has called. */
extern const char zl_preserved_returned[] __attribute__((visibility("hidden")));

/* A function that mostly returns behind a call made in the kernel. It goes back as a gate does (returns.c). */
#define zl_from_kernel __attribute__((noinline, function_return("thunk-extern")))
/* 1: a call that has been in the kernel comes back by jmp (returns.c); 0: by ret. */
extern uint32_t zl_returns_by_jump;
enum zl_return { ZL_RETURN_AUTO, ZL_RETURN_RET, ZL_RETURN_JUMP };
/* @init */
void zl_returns_start(enum zl_return choice);

/* Call function(frame) with the extended state saved before and restored after (vector.S). */
void zl_save_vectors(void *area);
long zl_with_vectors(long (*function)(struct zl_frame *), struct zl_frame *frame);
void zl_restore_vectors(void *area);
/* Save what `features` names into a 64-aligned area, as the kernel does it for a signal frame. */
void zl_save_for_frame(void *area, uint64_t features);
enum zl_vectors { ZL_VECTORS_AUTO, ZL_VECTORS_XSAVEC };
/* @init */
void zl_vectors_start(enum zl_vectors choice);
extern uint32_t zl_vector_kind;                  /* VECTOR_ */
extern uint32_t zl_vector_size;                  /* bytes of a saved area */
extern uint64_t zl_vector_mask;                  /* the components in it, as in XCR0; 0 with fxsave */
#ifdef ZL_FAULT_INJECTION
/* ZLAZY_WITHOUT: avx512, xgetbv, avx, xsavec or xsave is taken for absent. @init */
bool zl_vectors_lack(const char *feature);
#endif

/* What pc values mean (threads/region.c), in the order of the sources. */
#define ZL_LABEL(name) extern const char name[] __attribute__((visibility("hidden")))
ZL_LABEL(zl_entry_jump); ZL_LABEL(zl_entry_stub); ZL_LABEL(zl_jump_r11); ZL_LABEL(zl_jump_saved);
ZL_LABEL(zl_jump_moved); ZL_LABEL(zl_jump_flags);
ZL_LABEL(zl_plain_jump_after); ZL_LABEL(zl_plain_jump_end);
ZL_LABEL(zl_entry_i386); ZL_LABEL(zl_i386_r11); ZL_LABEL(zl_i386_saved); ZL_LABEL(zl_i386_moved);
ZL_LABEL(zl_i386_flags);
ZL_LABEL(zl_entry_call); ZL_LABEL(zl_call_r11); ZL_LABEL(zl_call_saved); ZL_LABEL(zl_call_moved);
ZL_LABEL(zl_call_flags); ZL_LABEL(zl_call_stack);
ZL_LABEL(zl_call_found); ZL_LABEL(zl_call_look); ZL_LABEL(zl_call_code); ZL_LABEL(zl_call_code_end);
ZL_LABEL(zl_call_claimed); ZL_LABEL(zl_call_look_end);
ZL_LABEL(zl_plain_call_after); ZL_LABEL(zl_plain_call_slot); ZL_LABEL(zl_plain_call_end);
ZL_LABEL(zl_hooked); ZL_LABEL(zl_exit_begin); ZL_LABEL(zl_exit_slot); ZL_LABEL(zl_exit_end);
ZL_LABEL(zl_null_trap); ZL_LABEL(zl_null_trap_after); ZL_LABEL(zl_deliver_trap); ZL_LABEL(zl_deliver_trap_after);
ZL_LABEL(zl_gate_call_window); ZL_LABEL(zl_gate_call_after); ZL_LABEL(zl_gate_return);
ZL_LABEL(zl_gate_interrupted); ZL_LABEL(zl_gate_interrupted_end);
ZL_LABEL(zl_gate_i386_window); ZL_LABEL(zl_gate_i386_after);
ZL_LABEL(zl_gate_clone_after); ZL_LABEL(zl_gate_clone_end); ZL_LABEL(zl_gate_sigreturn_after);

#endif
