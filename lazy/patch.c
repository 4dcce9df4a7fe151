/* patch.c - replace the two bytes of a site while other threads may run them
 *
 * Old and new bytes (lazy/bytes.h) mean the same to the program, so a stale fetch is harmless; only a mixture is
 * not. Two ways:
 *
 *   one store    16 bits inside an aligned 8-byte word: never seen torn. Needs a writable mapping.
 *   two steps    second byte first: 0f d0, an undefined instruction that lazy/fault.c takes for a trap of the site
 *                (the record is published already); a barrier that makes every core refetch; then the first byte.
 *                (Intel SDM 9.1.3, cross-modifying code; membarrier(2), PRIVATE_EXPEDITED_SYNC_CORE.)
 *                The order matters: ff 05 would be inc mem. Undone in the reverse order.
 *
 * Only private mappings are patched. Records are kept by address and process, but shared memory is changed for all
 * its views at once: the file, other mappings of it, other processes, and those made later. None of them has a
 * record, and who runs the new bytes there calls page zero.
 *
 * /proc/self/mem writes private pages whatever their protection, without splitting the mapping, and refuses shared ones
 * that are not writable (EIO). It does write shared pages that are writable. So that writable pages are told apart,
 * process_vm_writev(), which respects the protection, is given the old bytes to write first; where it succeeds, or
 * can't be had, /proc/self/maps is asked. Not at every site: that takes a descriptor for a moment, and a program with
 * threads could see it by the numbers that it gets. (A thread that makes shared code writable between the two writes,
 * a microsecond apart, while it is executed for the first time, deceives this.)
 *
 * A write by /proc/self/mem is not one store, so a process with threads uses two steps there. Where it fails (a
 * hardened kernel, no descriptor) mprotect opens the pages for the moment of the store and gives back exactly what
 * they had.
 */
#include "lazy/patch.h"
#include "base/copy.h"
#include "base/os.h"
#include "base/seccomp.h"
#include "lazy/bytes.h"
#include "lazy/codefd.h"
#include "lazy/debug.h"
#include "lazy/maps.h"
#include <asm/prctl.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/membarrier.h>
#include <linux/mman.h>
#include <linux/uio.h>
#include "base/poison.h"

enum { CLOSE_TRIES = 8 };

/* The mappings of a site's bytes. */
struct place { struct zl_mapping first, second; };

struct zl_lock zl_patch_lock;
_Atomic bool zl_is_threaded;
static bool has_barrier;

void zl_patch_start(void)
{
	has_barrier = zl_os_barrier_register() == 0;
}

static long barrier(void)
{
	long result = zl_os_barrier();
	if (result == -EPERM && zl_os_barrier_register() == 0)
		result = zl_os_barrier();
	return result;
}

static bool is_threaded(void)
{
	return atomic_load_explicit(&zl_is_threaded, memory_order_acquire);
}

static bool is_in_one_word(uintptr_t site)
{
	return site % 8 != 7;
}

/* One byte, by /proc/self/mem or, where fd is negative, through the open mapping. */
static long put_byte(int fd, uintptr_t address, uint8_t byte)
{
	if (fd >= 0)
		return zl_os_write_at(fd, &byte, 1, address) == 1 ? 0 : -EIO;
	return zl_copy_out(address, &byte, 1) ? 0 : -EFAULT;   /* the program may unmap it meanwhile */
}

static enum zl_verdict put_two_steps(int fd, uintptr_t site)
{
	if (put_byte(fd, site + 1, ZL_NEW_SECOND))
		return ZL_UNWRITABLE;
	if (barrier() == 0 && put_byte(fd, site, ZL_NEW_FIRST) == 0)
		return ZL_OK;
	put_byte(fd, site + 1, ZL_OLD_SECOND);
	return ZL_NO_BARRIER;
}

static enum zl_verdict write_by_fd(int fd, uintptr_t site)
{
	static const uint8_t bytes[] = { ZL_NEW_FIRST, ZL_NEW_SECOND };
	if (is_threaded())
		return has_barrier ? put_two_steps(fd, site) : ZL_NO_BARRIER;
	switch (zl_os_write_at(fd, bytes, sizeof(bytes), site)) {
	case sizeof(bytes):
		return ZL_OK;
	case 1:   /* across two pages, the second not writable: ff 05 must not stay */
		put_byte(fd, site, ZL_OLD_FIRST);
		return ZL_UNWRITABLE;
	default:
		return ZL_UNWRITABLE;
	}
}

static enum zl_verdict write_open(uintptr_t site)
{
	/* x86 stores 16 bits at any address at once when they lie in one aligned word */
	if (is_in_one_word(site) || !is_threaded())
		return zl_store16(site, ZL_NEW_FIRST | ZL_NEW_SECOND << 8) ? ZL_OK : ZL_UNWRITABLE;
	return has_barrier ? put_two_steps(-1, site) : ZL_NO_BARRIER;
}

/* Open the page of `address` for writing. */
static bool open_page(uintptr_t address, const struct zl_mapping *mapping)
{
	return (mapping->protection & PROT_WRITE) ||
	       zl_os_protect(zl_align_down(address, ZL_PAGE), ZL_PAGE, mapping->protection | PROT_WRITE) == 0;
}

/* Give back what it had. What the kernel has just allowed it can refuse only for want of memory, which passes; if it
 * doesn't, the page stays writable: no reason to end the program. */
static void close_page(uintptr_t address, const struct zl_mapping *mapping)
{
	long result = mapping->protection & PROT_WRITE ? 0 : -EAGAIN;

	for (int i = 0; result != 0 && i < CLOSE_TRIES; i++)
		result = zl_os_protect(zl_align_down(address, ZL_PAGE), ZL_PAGE, mapping->protection);
}

static enum zl_verdict write_by_mprotect(uintptr_t site, const struct place *place)
{
	bool has_two = site % ZL_PAGE == ZL_PAGE - 1;
	enum zl_verdict verdict = ZL_UNWRITABLE;

	if (!open_page(site, &place->first))
		return ZL_UNWRITABLE;
	if (!has_two || open_page(site + 1, &place->second)) {
		verdict = write_open(site);
		if (has_two)
			close_page(site + 1, &place->second);
	}
	close_page(site, &place->first);
	return verdict;
}

/* Where the two bytes lie: 0 if in private memory, -EPERM if not; another -errno if the kernel doesn't tell. */
static long look(uintptr_t site, struct place *place)
{
	long result = zl_maps_find(site, &place->first);

	if (result != 0)
		return result;
	place->second = place->first;
	if (site + 1 >= place->first.end)
		result = zl_maps_find(site + 1, &place->second);
	if (result != 0)
		return result;
	return place->first.is_shared || place->second.is_shared ? -EPERM : 0;
}

/* Whether the program itself can't write the bytes: then /proc/self/mem writes them in private memory only. */
static bool is_read_only(uintptr_t site)
{
	static const uint8_t old[] = { ZL_OLD_FIRST, ZL_OLD_SECOND };
	long pid = zl_raw(__NR_getpid);
	bool has_two = site % ZL_PAGE == ZL_PAGE - 1;

	for (size_t i = 0; i < (has_two ? 2 : 1); i++) {
		struct iovec from = { (void *)&old[i], 1 }, to = { (void *)(site + i), 1 };
		if (zl_raw(__NR_process_vm_writev, pid, &from, 1, &to, 1, 0) != -EFAULT)
			return false;
	}
	return true;
}

bool zl_patch_may(const struct zl_seccomp *filters)
{
	int fd = zl_codefd_number();

	return fd >= 0 && zl_seccomp_lets(filters, __NR_fstat, fd, 0, 0) &&
	       zl_seccomp_lets(filters, __NR_pwrite64, fd, 0, 1) &&
	       zl_seccomp_lets(filters, __NR_process_vm_writev, zl_raw(__NR_getpid), 0, 1) &&
	       zl_seccomp_lets(filters, __NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0) &&
	       zl_seccomp_lets(filters, __NR_arch_prctl, ARCH_GET_FS, 0, 0) &&
	       zl_seccomp_lets(filters, __NR_openat, AT_FDCWD, 0, O_RDONLY | O_CLOEXEC) &&
	       zl_seccomp_lets(filters, __NR_fcntl, fd, F_DUPFD_CLOEXEC, fd) &&
	       zl_seccomp_lets(filters, __NR_close, fd, 0, 0);
}

long zl_patch_site(uintptr_t site)
{
	int fd = zl_codefd_get();
	bool is_written = fd >= 0 && is_read_only(site) && write_by_fd(fd, site) == ZL_OK;
	enum zl_verdict verdict = ZL_OK;
	struct place place;

	if (!is_written) {
		long result = look(site, &place);
		if (result != 0)
			return result == -EPERM || result == -ENOENT ? ZL_UNWRITABLE : result;
		is_written = fd >= 0 && write_by_fd(fd, site) == ZL_OK;
	}
	if (!is_written)
		verdict = write_by_mprotect(site, &place);
	if (verdict == ZL_OK)
		zl_debug_rewritten(site, is_threaded() && (is_written || !is_in_one_word(site)), !is_written);
	return verdict;
}
