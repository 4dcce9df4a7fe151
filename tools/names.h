/* names.h - names of x86-64 system calls */
#ifndef ZL_TOOLS_NAMES_H
#define ZL_TOOLS_NAMES_H

enum { ZL_NAME_SIZE = 64 };

/* "read"; for a number without a name "syscall_0x1f4", as strace has it. */
void zl_name_of(unsigned number, char name[ZL_NAME_SIZE]);

#endif
