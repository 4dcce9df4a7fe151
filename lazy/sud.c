/* sud.c - Syscall User Dispatch with a NULL selector
 *
 * Without a selector byte everything outside [start, start + length) traps, always: nothing has to be toggled
 * around hooks or handlers. The kernel compares the address after the instruction; section zl_gate ends in
 * padding, so its last syscall is inside. Dispatch is per thread and off after clone, fork and exec.
 * (Linux, Documentation/admin-guide/syscall-user-dispatch.rst; kernel/entry/syscall_user_dispatch.c)
 */
#include "lazy/sud.h"
#include "base/raw.h"
#include <linux/prctl.h>
#include "base/poison.h"

long zl_sud_arm(void)
{
	return zl_raw(__NR_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, __start_zl_gate,
		      __stop_zl_gate - __start_zl_gate, 0);
}
