/* os.c - see os.h */
#include "base/os.h"
#include "base/fs.h"
#include "base/inject.h"
#include "base/ranges.h"
#include "base/seccomp.h"
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/membarrier.h>
#include <linux/mman.h>
#include <stdatomic.h>
#include "base/poison.h"

bool zl_has_fsgsbase;

/* Under mlockall(MCL_FUTURE) a mapping begins locked, and counts in full against RLIMIT_MEMLOCK, which the program
 * had calculated for itself. So the agent's are unlocked at once; and where there is no room for that moment (EAGAIN),
 * an unlocked mapping that was made before is moved away and stays at its place as well: MREMAP_DONTUNMAP gives the
 * new one the state of the old. */
enum { MOULD_SIZE = 0x80000 };   /* what the agent must have at once after start: 2 * SLOT_SIZE, for one slot */
static _Atomic bool is_future_locked;
static _Atomic long mould;

void zl_os_future_is_locked(bool is_locked)
{
	long none = 0, at;

	if (is_locked && !atomic_load(&mould)) {
		at = zl_os_map(0, MOULD_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
		if (!zl_is_error(at) && !atomic_compare_exchange_strong(&mould, &none, at))
			zl_os_unmap((uintptr_t)at, MOULD_SIZE);
	}
	atomic_store(&is_future_locked, is_locked);
}

static long map_from_mould(size_t size, int protection)
{
	long from = atomic_load(&mould), at;

	size = zl_align_up(size, ZL_PAGE);
	if (!from || size > MOULD_SIZE)
		return -EAGAIN;
	at = zl_raw(__NR_mremap, from, size, size, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
	if (!zl_is_error(at) && zl_raw(__NR_mprotect, at, size, protection) != 0) {
		zl_raw(__NR_munmap, at, size);
		return -EAGAIN;
	}
	return zl_is_error(at) ? -EAGAIN : at;
}

/* What mmap gave under mlockall(MCL_FUTURE), unlocked. */
static long unlocked(long at, uintptr_t address, size_t size, int protection, int flags)
{
	if (at == -EAGAIN && !address && !(flags & MAP_SHARED))
		return map_from_mould(size, protection);
	if (!zl_is_error(at))
		zl_raw(__NR_munlock, at, size);
	return at;
}

long zl_os_map(uintptr_t address, size_t size, int protection, int flags, int fd)
{
	long at;

	ZL_MAY_FAIL(ZL_OWN_MAP);
	at = zl_raw(__NR_mmap, address, size, protection, flags, fd, 0);
	if (zl_unlikely(atomic_load_explicit(&is_future_locked, memory_order_relaxed)))
		at = unlocked(at, address, size, protection, flags);
	if (!zl_is_error(at))
		zl_ranges_add((uintptr_t)at, (uintptr_t)at + size, ZL_RANGE_AGENT);
	return at;
}

long zl_os_map_over(uintptr_t address, size_t size, int protection, int fd, uint64_t offset)
{
	ZL_MAY_FAIL(ZL_OWN_MAP);
	return zl_raw(__NR_mmap, address, size, protection, MAP_PRIVATE | MAP_FIXED | (fd < 0 ? MAP_ANONYMOUS : 0), fd,
		      offset);
}

long zl_os_unmap(uintptr_t address, size_t size)
{
	ZL_MAY_FAIL(ZL_OWN_UNMAP);
	zl_ranges_remove(address, address + size, ZL_RANGE_AGENT);   /* first: the next owner may have it at once */
	return zl_raw(__NR_munmap, address, size);
}

void zl_os_hide_from_dumps(uintptr_t address, size_t size)
{
	uintptr_t start = zl_align_up(address, ZL_PAGE), end = zl_align_down(address + size, ZL_PAGE);
	if (start < end)
		zl_raw(__NR_madvise, start, end - start, MADV_DONTDUMP);
}

long zl_os_protect(uintptr_t address, size_t size, int protection)
{
	ZL_MAY_FAIL(ZL_OWN_PROTECT);
	return zl_raw(__NR_mprotect, address, size, protection);
}

long zl_os_guard(uintptr_t address, size_t size)
{
	ZL_MAY_FAIL(ZL_OWN_PROTECT);
	return zl_raw(__NR_madvise, address, size, ZL_OS_GUARD);
}

long zl_os_open(const char *path, int flags)
{
	ZL_MAY_FAIL(ZL_OWN_OPEN);
	if (!zl_seccomp_lets(zl_seccomp_here(), __NR_close, 3, 0, 0))   /* it would stay open */
		return -EACCES;
	return zl_raw(__NR_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0666);
}

long zl_os_read(int fd, void *buffer, size_t size)
{
	ZL_MAY_FAIL(ZL_OWN_READ);
	return zl_raw(__NR_read, fd, buffer, size);
}

long zl_os_read_at(int fd, void *buffer, size_t size, uintptr_t offset)
{
	ZL_MAY_FAIL(ZL_OWN_READ);
	return zl_raw(__NR_pread64, fd, buffer, size, offset);
}

long zl_os_write_at(int fd, const void *buffer, size_t size, uintptr_t offset)
{
	ZL_MAY_FAIL(ZL_OWN_WRITE);
	return zl_raw(__NR_pwrite64, fd, buffer, size, offset);
}

long zl_os_dup(int fd, int least)
{
	ZL_MAY_FAIL(ZL_OWN_DUP);
	return zl_raw(__NR_fcntl, fd, F_DUPFD_CLOEXEC, least);
}

long zl_os_ask(int fd, unsigned long request, void *argument)
{
	ZL_MAY_FAIL(ZL_OWN_QUERY);
	return zl_raw(__NR_ioctl, fd, request, argument);
}

long zl_os_barrier(void)
{
	ZL_MAY_FAIL(ZL_OWN_BARRIER);
	return zl_raw(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0);
}

long zl_os_barrier_register(void)
{
	ZL_MAY_FAIL(ZL_OWN_BARRIER);
	return zl_raw(__NR_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0);
}
