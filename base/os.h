/* os.h - the thin layer between the agent and the kernel: its memory, its files, its barriers
 *
 * Everything that can fail for want of resources or permission goes through here, so that a build with
 * ZL_FAULT_INJECTION can make each call fail (base/inject.h). Results are the kernel's: a value or -errno.
 */
#ifndef ZL_BASE_OS_H
#define ZL_BASE_OS_H

#include "base/raw.h"

/* As mmap(2) at offset 0: address 0 lets the kernel choose, else flags say how fixed it is. What is mapped is the
 * agent's until it is unmapped here: the program's calls are kept away from it (base/ranges.h). */
long zl_os_map(uintptr_t address, size_t size, int protection, int flags, int fd);
/* A piece of a file, or zeros (fd -1), private, in the place of whole pages that zl_os_map() has given. @init */
long zl_os_map_over(uintptr_t address, size_t size, int protection, int fd, uint64_t offset);
/* The program locks (or not) what will be mapped from now on, mlockall(MCL_FUTURE). Before its call. */
void zl_os_future_is_locked(bool is_locked);
long zl_os_unmap(uintptr_t address, size_t size);
/* Leave the whole pages of [address, address + size) out of core dumps: nobody unwinds through them. */
void zl_os_hide_from_dumps(uintptr_t address, size_t size);
long zl_os_protect(uintptr_t address, size_t size, int protection);
/* Make pages of anonymous memory fault, without a mapping of their own. -EINVAL before Linux 6.13 */
enum { ZL_OS_GUARD = 102 };   /* MADV_GUARD_INSTALL, which headers of older kernels lack */
long zl_os_guard(uintptr_t address, size_t size);
/* Close-on-exec; with O_CREAT the mode is 0666 less the umask. */
long zl_os_open(const char *path, int flags);
long zl_os_read(int fd, void *buffer, size_t size);
long zl_os_read_at(int fd, void *buffer, size_t size, uintptr_t offset);
long zl_os_write_at(int fd, const void *buffer, size_t size, uintptr_t offset);
/* The lowest free descriptor from `least` on, close-on-exec, for the same file. */
long zl_os_dup(int fd, int least);
/* ioctl(2). */
long zl_os_ask(int fd, unsigned long request, void *argument);
/* Make every thread of the process run a core-serialising instruction before it returns to user mode. */
long zl_os_barrier(void);
long zl_os_barrier_register(void);

#endif
