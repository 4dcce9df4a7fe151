/* vsud.h - the program's own Syscall User Dispatch */
#ifndef ZL_THREADS_VSUD_H
#define ZL_THREADS_VSUD_H

#include "threads/slots.h"
#include "trampoline/entry.h"

/* prctl(PR_SET_SYSCALL_USER_DISPATCH), by the program. */
long zl_vsud_set(struct zl_frame *frame);
/* Off, in a new process. */
void zl_vsud_clear(struct zl_block *block);

/* The rest of zl_vsud_stops(). */
bool zl_vsud_judge(struct zl_frame *frame);

/* To be asked before anything else about a call: is it not to be made? A signal is noted then, and the frame has the
 * result. Never so for calls of hook code, whose frames have another filter. */
static inline bool zl_vsud_stops(struct zl_frame *frame)
{
	return zl_unlikely(frame->filter == zl_filter_all) && zl_vsud_judge(frame);
}

#endif
