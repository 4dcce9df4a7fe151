/* owners.h - special calls and who makes them
 *
 * An owner makes the call in the program's place where the kernel's own would hurt the agent or tell the program
 * of it. Runs after the hooks, on the frame's stack; returns the program's result, or zl_call_interrupted().
 */
#ifndef ZL_THREADS_OWNERS_H
#define ZL_THREADS_OWNERS_H

#include "trampoline/frame.h"

/* Make frame->call, by its owner if it has one, else as it is. */
long zl_call_real(struct zl_frame *frame);
/* Mark the numbers that have an owner in both filters. @init */
void zl_owners_start(void);

struct zl_block;

long zl_own_sigaction(struct zl_frame *frame);        /* sighand.c */
long zl_own_sigprocmask(struct zl_frame *frame);      /* mask.c */
long zl_own_sigpending(struct zl_frame *frame);
long zl_own_sigtimedwait(struct zl_frame *frame);
long zl_own_look(struct zl_frame *frame);
long zl_own_wait(struct zl_frame *frame);             /* sighand.c */
long zl_own_sigaltstack(struct zl_frame *frame);      /* altstack.c */
long zl_own_sigreturn(struct zl_frame *frame);        /* sigreturn.c */
long zl_own_clone(struct zl_frame *frame);            /* child.c, fork.c */
long zl_own_exit(struct zl_frame *frame);             /* exit.c */
long zl_own_exec(struct zl_frame *frame);             /* exec.c */
long zl_own_descriptor(struct zl_frame *frame);       /* descriptors.c */
long zl_own_stat(struct zl_frame *frame);
long zl_own_getdents(struct zl_frame *frame);
long zl_own_dup(struct zl_frame *frame);
long zl_own_close_range(struct zl_frame *frame);
long zl_own_mmap(struct zl_frame *frame);             /* memory.c */
long zl_own_munmap(struct zl_frame *frame);
long zl_own_range(struct zl_frame *frame);
long zl_own_mremap(struct zl_frame *frame);
long zl_own_shmat(struct zl_frame *frame);
long zl_own_shmdt(struct zl_frame *frame);
long zl_own_brk(struct zl_frame *frame);
long zl_own_process_madvise(struct zl_frame *frame);
long zl_own_mlockall(struct zl_frame *frame);         /* locked.c */
long zl_own_munlockall(struct zl_frame *frame);
long zl_own_prctl(struct zl_frame *frame);            /* prctl.c */
long zl_own_arch_prctl(struct zl_frame *frame);
long zl_own_ptrace(struct zl_frame *frame);           /* ptrace.c */
long zl_own_seccomp(struct zl_frame *frame);          /* seccomp.c */
long zl_own_set_seccomp(struct zl_frame *frame);

/* ZLAZY_IO_URING=deny: io_uring_setup is answered as with kernel.io_uring_disabled=2. Set once at start. */
extern bool zl_io_uring_is_denied;

struct zl_seccomp;
/* Can the agent of a program that is started under these filters do its work without being stopped? seccomp.c */
bool zl_seccomp_may_start(const struct zl_seccomp *filters);

struct zl_block;
/* Before an execve: what zl_own_ptrace() put off. */
void zl_trace_at_exec(struct zl_block *block, const struct zlazy_call *call);

#endif
