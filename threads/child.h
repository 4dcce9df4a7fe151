/* child.h - what child.c and fork.c share: clone with and without CLONE_VM */
#ifndef ZL_THREADS_CHILD_H
#define ZL_THREADS_CHILD_H

#include "trampoline/frame.h"

/* clone without CLONE_VM (fork.c). Result as of an owner; the child does not return. */
long zl_fork(struct zl_block *block, struct zl_frame *frame, uint64_t flags);
/* The clone that fork() of the hooks' libc makes, called for a fork of the program's. */
bool zl_fork_is_inner(const struct zl_block *block, const struct zl_frame *frame);
long zl_fork_inner(struct zl_block *block);

/* Block signals for the gate, which then makes frame's call. Returns false if one is noted: zl_call_interrupted(). */
bool zl_clone_close(struct zl_block *block, struct zl_frame *frame, uint64_t flags);
/* The child's first steps, at whose end faults may come, and what lets all signals in. @entry */
void zl_child_arm(struct zl_block *block, struct zl_frame *frame);
void zl_child_open(struct zl_block *block);

#endif
