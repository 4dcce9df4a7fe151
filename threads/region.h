/* region.h - what the interrupted pc means */
#ifndef ZL_THREADS_REGION_H
#define ZL_THREADS_REGION_H

#include "base/block.h"

struct zl_frame;

enum zl_region {
	ZL_REGION_PROGRAM,     /* the context is (now) the program's own, before or after a call: deliver */
	ZL_REGION_BUSY,        /* agent or hook code: note the signal */
};

/* A temporary signal mask that ended with the call (ppoll and its kin, when they answer -EINTR). */
struct zl_mask_in_force {
	bool is_temporary;
	uint64_t mask;
};

/* A signal is noted: a gate that has not made its call is not to make it. */
void zl_region_divert(struct sigcontext *context);
/* Turn the interrupted context into the program's state where that is possible. context: the real handler. */
enum zl_region zl_region_settle(struct zl_block *block, struct sigcontext *context, struct zl_mask_in_force *mask);

/* The registers as they were when zl_entry_call began, at any pc in it. */
void zl_region_restore_call(struct sigcontext *context, const struct zl_block *block);

/* The program's state after (or, where the call is to be made again, before) the call of a frame. */
void zl_region_from_frame(struct sigcontext *context, const struct zl_frame *frame);

#endif
