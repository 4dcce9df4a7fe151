/* os.c - see os.h */
#include "base/os.h"
#include "base/ranges.h"
#include "base/string.h"
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/membarrier.h>
#include <linux/mman.h>
#include "base/poison.h"

#ifdef ZL_FAULT_INJECTION
#include <stdatomic.h>

static const char *const names[ZL_OS_CALLS] = { "map", "protect", "open", "read", "write", "barrier" };
static const long errors[ZL_OS_CALLS] = { -ENOMEM, -EACCES, -EACCES, -EIO, -EIO, -EPERM };
enum { NEVER = -1, ALWAYS = -2 };
static _Atomic long countdown[ZL_OS_CALLS] = { NEVER, NEVER, NEVER, NEVER, NEVER, NEVER };

bool zl_os_inject(const char *specification)
{
	for (int i = 0; i < ZL_OS_CALLS; i++) {
		const char *rest = zl_after(specification, names[i]);
		unsigned long n;
		if (!rest || *rest++ != ':')
			continue;
		if (zl_equal(rest, "*"))
			atomic_store(&countdown[i], ALWAYS);
		else if (zl_parse_number(rest, &n) && n > 0)
			atomic_store(&countdown[i], (long)n - 1);
		else
			return false;
		return true;
	}
	return false;
}

static long injected(enum zl_os_call call)
{
	long left = atomic_load(&countdown[call]);
	if (left == NEVER)
		return 0;
	if (left == ALWAYS)
		return errors[call];
	return atomic_fetch_sub(&countdown[call], 1) == 0 ? errors[call] : 0;
}
#define MAY_FAIL(call) do { long e_ = injected(call); if (e_) return e_; } while (0)
#else
#define MAY_FAIL(call) ((void)0)
#endif

long zl_os_map(uintptr_t address, size_t size, int protection, int flags, int fd)
{
	long at;

	MAY_FAIL(ZL_OS_MAP);
	at = zl_raw(__NR_mmap, address, size, protection, flags, fd, 0);
	if (!zl_is_error(at))
		zl_ranges_add((uintptr_t)at, (uintptr_t)at + size, ZL_RANGE_AGENT);
	return at;
}

long zl_os_unmap(uintptr_t address, size_t size)
{
	zl_ranges_remove(address, address + size, ZL_RANGE_AGENT);   /* first: the next owner may have it at once */
	return zl_raw(__NR_munmap, address, size);
}

long zl_os_protect(uintptr_t address, size_t size, int protection)
{
	MAY_FAIL(ZL_OS_PROTECT);
	return zl_raw(__NR_mprotect, address, size, protection);
}

long zl_os_open(const char *path, int flags)
{
	MAY_FAIL(ZL_OS_OPEN);
	return zl_raw(__NR_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0666);
}

long zl_os_read(int fd, void *buffer, size_t size)
{
	MAY_FAIL(ZL_OS_READ);
	return zl_raw(__NR_read, fd, buffer, size);
}

long zl_os_write_at(int fd, const void *buffer, size_t size, uintptr_t offset)
{
	MAY_FAIL(ZL_OS_WRITE);
	return zl_raw(__NR_pwrite64, fd, buffer, size, offset);
}

long zl_os_barrier(void)
{
	MAY_FAIL(ZL_OS_BARRIER);
	return zl_raw(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0);
}

long zl_os_barrier_register(void)
{
	MAY_FAIL(ZL_OS_BARRIER);
	return zl_raw(__NR_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0);
}
