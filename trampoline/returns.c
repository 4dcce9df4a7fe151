/* returns.c - ret or jmp, on the way back from the kernel?
 *
 * `call *%rax` and `ret` keep the return-stack predictor balanced, if the kernel does. With the mitigation of
 * Speculative Return Stack Overflow that Linux names "Safe RET" it does not: each of its returns leaves an entry
 * behind, so a `ret` after a system call is always mispredicted, ours and then the program's. There a jmp is
 * cheaper by one misprediction and makes nothing worse. (Linux, Documentation/admin-guide/hw-vuln/srso.rst.)
 * Calls that a hook answers return by ret everywhere: the kernel was not there. With a shadow stack only ret will
 * do.
 */
#include "base/os.h"
#include "base/string.h"
#include "trampoline/entry.h"
#include <asm/prctl.h>
#include <linux/fcntl.h>
#include "base/poison.h"

uint32_t zl_returns_by_jump;

#ifndef ARCH_SHSTK_STATUS
#define ARCH_SHSTK_STATUS 0x5005
#endif

static bool has_shadow_stack(void)
{
	uint64_t features = 0;
	return zl_raw(__NR_arch_prctl, ARCH_SHSTK_STATUS, &features) == 0 && features;
}

static bool contains(const char *text, const char *word)
{
	for (; *text; text++)
		if (zl_after(text, word))
			return true;
	return false;
}

static bool has_safe_ret(void)
{
	char text[128] = { 0 };
	long fd = zl_os_open("/sys/devices/system/cpu/vulnerabilities/spec_rstack_overflow", O_RDONLY | O_CLOEXEC);

	if (zl_is_error(fd))
		return false;
	zl_os_read((int)fd, text, sizeof(text) - 1);
	zl_raw(__NR_close, fd);
	return contains(text, "Safe RET");
}

void zl_returns_start(enum zl_return choice)
{
	zl_returns_by_jump = choice != ZL_RETURN_RET && !has_shadow_stack() && (choice == ZL_RETURN_JUMP || has_safe_ret());
}
