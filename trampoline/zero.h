/* zero.h - page zero and the sled */
#ifndef ZL_TRAMPOLINE_ZERO_H
#define ZL_TRAMPOLINE_ZERO_H

#include "base/types.h"

enum zl_zero_result {
	ZL_ZERO_READY,
	ZL_ZERO_MIN_ADDR,      /* vm.mmap_min_addr, and no CAP_SYS_RAWIO */
	ZL_ZERO_USER_NAMESPACE,/* CAP_SYS_RAWIO is held, but not over the initial user namespace */
	ZL_ZERO_SECURITY,      /* a security module (SELinux mmap_zero) */
	ZL_ZERO_IN_USE,        /* the program has a mapping there */
	ZL_ZERO_READABLE,      /* no protection key: NULL could be read unnoticed */
	ZL_ZERO_SLED,          /* no sled works on this CPU, or no room for its second mapping */
	ZL_ZERO_OTHER,         /* any other error of mmap or mprotect */
};

enum zl_sled { ZL_SLED_JUMP, ZL_SLED_SHORT, ZL_SLED_NOP };

/* Map page zero with the sled. may_be_readable: accept a page that can be read. Leaves nothing behind on failure;
 * *error is the kernel's where there is one. @init */
enum zl_zero_result zl_zero_start(enum zl_sled first, bool may_be_readable, long *error);

/* Is this address one of page zero, or of the sled's second mapping? false for all before zl_zero_start(). */
bool zl_zero_contains(uintptr_t address);
bool zl_zero_is_mapped(void);
/* What zl_zero_start() has laid. pre: ZL_ZERO_READY */
enum zl_sled zl_zero_sled(void);
uintptr_t zl_zero_second_mapping(void);

#endif
