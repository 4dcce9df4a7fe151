/* sud.h - Syscall User Dispatch */
#ifndef ZL_LAZY_SUD_H
#define ZL_LAZY_SUD_H

/* Arm the calling thread: every system call from outside the gate becomes SIGSYS. 0 or -errno. */
long zl_sud_arm(void);

#endif
