/* stubs.h - the code that a jump leads to, from where it enters the agent
 *
 *     by a mov:   movq number(%rip), %rax
 *     by a cave:  movq %r11, %gs:BLOCK_R11
 *                 movq after(%rip), %r11
 *                 jmp *entry(%rip)                   zl_entry_stub
 *
 * A record is written under the patch lock and read without it, by who finds a pc in the stub or at the jump.
 */
#ifndef ZL_LAZY_STUBS_H
#define ZL_LAZY_STUBS_H

#include "base/types.h"
#include <linux/types.h>
#include <stdatomic.h>

enum { ZL_STUB_MOST = 7, ZL_JUMP_SIZE = 5, ZL_SHORT_SIZE = 2 };

struct zl_stub_data;

/* Where a jump takes the place of a call. Neither: nowhere. */
struct zl_jump {
	unsigned length;               /* of the instruction right before the site that is displaced, or 0; */
	uintptr_t cave;                /* or else five bytes of padding that a short jump reaches */
	uint8_t displaced[ZL_STUB_MOST], padding[ZL_JUMP_SIZE];   /* what was there */
};

/* Invariants: is_live  <=>  the site is recorded as ZL_SITE_JUMPED.  Who comes to the code makes the site's call, until
 * the record serves another site. */
struct zl_stub {
	_Atomic uintptr_t after;       /* of the site; 0: never used */
	_Atomic uintptr_t start;       /* the first byte that the jump has changed, or the short jump has */
	_Atomic uintptr_t cave;        /* or 0 */
	_Atomic unsigned length;       /* of the displaced instruction, 0 with a cave */
	uintptr_t slot, code;          /* its memory, and where in it the jump leads */
	struct zl_stub_data *data;     /* what that reads */
	uint8_t displaced[ZL_STUB_MOST], padding[ZL_JUMP_SIZE];
	_Atomic bool is_live;
	bool is_queued;
	struct zl_stub *_Atomic next_same;   /* lazy/bysite.c */
	struct zl_stub *next_idle;
};

/* See zl_stub_of_copy(). */
struct zl_stub_copy {
	uintptr_t site;                /* the copied one */
	bool has_number;               /* the copied jump was a mov of this number to eax */
	uint64_t number;
};

/* The stub for a site and this jump; NULL if there is no memory within reach. locks: zl_patch_lock */
struct zl_stub *zl_stub_make(uintptr_t after, const struct zl_jump *jump);
/* The live one of a site, or NULL. locks: zl_patch_lock */
struct zl_stub *zl_stub_find(uintptr_t after);
/* What its jump has changed, the site included: [*low, *high). pre: there is a live one. locks: zl_patch_lock */
void zl_stub_extent(uintptr_t after, uintptr_t *low, uintptr_t *high);
/* The site is not rewritten any more. locks: zl_patch_lock */
void zl_stub_rest(uintptr_t after);
/* Put into a copy of code what was there before it was rewritten. No lock: another thread may be half done */
void zl_stubs_restore(uint8_t *bytes, uintptr_t start, size_t size);
/* Does a cave that has been taken begin in [start, end), other than the one at `cave` that this very site has had? No
 * lock */
bool zl_stubs_claim(uintptr_t start, uintptr_t end, uintptr_t cave, uintptr_t after);
/* A thread has jumped to pc by a copy of a jump, which leads as far from it as the jump itself does from its place.
 * Find that copy: what goes on there, and where. No lock */
bool zl_stub_of_copy(uintptr_t pc, struct zl_stub_copy *copy);

/* The stub in which pc lies, NULL if it lies in none. *offset: from its code. No lock */
const struct zl_stub *zl_stub_at(uintptr_t pc, size_t *offset);
/* What a pc on the way from a site to zl_entry_stub stands for. */
struct zl_stub_place {
	uintptr_t pc;                  /* of the program: at the displaced instruction, or at its site */
	bool has_continuation;         /* r11 is not the program's any more: BLOCK_R11 is */
	bool is_displaced;             /* pc has just been reached, by the displaced instruction */
};
/* False: pc is neither in a stub nor a cave. No lock */
bool zl_stub_place(uintptr_t pc, struct zl_stub_place *place);
/* The one whose jump, or short jump, is at pc, whatever is there now. No lock */
const struct zl_stub *zl_stub_from(uintptr_t pc);

#endif
