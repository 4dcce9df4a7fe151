/* deliver.h - give a signal to the program as the kernel would */
#ifndef ZL_THREADS_DELIVER_H
#define ZL_THREADS_DELIVER_H

#include "threads/region.h"

/* A noted signal: sent by somebody; forced by the program's own doing, so that blocked or ignored it kills; one that
 * kills in any case. */
enum zl_noted_as { ZL_NOTED_SENT, ZL_NOTED_FORCED, ZL_NOTED_EXIT };

/* The context is the program's. Changes it so that the thread goes on in the program's handler; or drops the
 * signal, or lets the default action happen. context: the real handler. */
void zl_deliver(struct zl_block *block, int signal, const siginfo_t *info, struct ucontext *context,
		const struct zl_mask_in_force *mask);
/* A fault of the program: what is blocked or ignored kills, as the kernel would. */
void zl_deliver_fault(struct zl_block *block, int signal, const siginfo_t *info, struct ucontext *context);
/* End of a call with a noted signal; block->resume says what of the context is not the program's. */
void zl_deliver_noted(struct zl_block *block, struct ucontext *context);
/* Keep a signal for the end of the call. */
void zl_note(struct zl_block *block, int signal, const siginfo_t *info, struct ucontext *context,
	     const struct zl_mask_in_force *mask);
/* A signal of the program's own doing, delivered at the end of the call. pre: zl_signals_close_all(). */
void zl_note_own(struct zl_block *block, const siginfo_t *info, enum zl_noted_as as);
/* The same for a fault: what is blocked or ignored kills. */
void zl_note_fault(struct zl_block *block, int signal, const siginfo_t *info, struct ucontext *context);
/* Take one of the kept signals of a set; false if there is none. */
bool zl_take_kept(struct zl_block *block, uint64_t set, siginfo_t *info);
/* Is one kept that the program blocks no longer? Then it becomes the noted one, for the end of this call, and
 * zl_deliver_noted() gives out the others. pre: zl_signals_close_all(), and none noted. */
bool zl_note_kept(struct zl_block *block);
/* Make the kept signals pending in the kernel, which passes them on to the next program. pre: they are blocked. */
void zl_requeue_kept(struct zl_block *block);

#endif
