/* moving.h - what becomes of sites when their memory goes, changes or comes: see moving.c */
#ifndef ZL_THREADS_MOVING_H
#define ZL_THREADS_MOVING_H

#include "trampoline/frame.h"

typedef long zl_making(struct zl_frame *frame);

/* Make a call that takes the memory of [start, end) away if it succeeds. */
long zl_moving_away(struct zl_frame *frame, uintptr_t start, uintptr_t end, zl_making *make);
/* One that maps memory at [start, end), over what is there, or if nothing is: it answers where. Others may know the
 * address, and call there at once. is_private: neither shared nor a file. */
long zl_moving_in(struct zl_frame *frame, uintptr_t start, uintptr_t end, bool is_private, zl_making *make);
/* One after which the program can write [start, end), or which may lose its contents. only_open: it can't write. */
long zl_moving_changes(struct zl_frame *frame, uintptr_t start, uintptr_t end, bool only_open, zl_making *make);
/* mremap */
long zl_moving_by_mremap(struct zl_frame *frame, zl_making *make);
/* shmdt: nobody tells how long the segment was. */
long zl_moving_by_shmdt(struct zl_frame *frame, zl_making *make);
/* Put the program's bytes back in [start, end). */
void zl_moving_restore(uintptr_t start, uintptr_t end);
/* There was nothing at [start, end) a moment ago, and nobody knows of it yet. */
void zl_moving_new(uintptr_t start, uintptr_t end);
/* [start, end) is shared now, or may be. */
void zl_moving_shared(uintptr_t start, uintptr_t end);

#endif
