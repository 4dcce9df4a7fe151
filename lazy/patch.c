/* patch.c - replace the two bytes of a site while other threads may run them
 *
 * Old bytes  0f 05  syscall         New bytes  ff d0  call *%rax
 *
 * Both mean the same to the program, so a stale fetch is harmless; only a mixture is not. Two ways:
 *
 *   one store    16 bits inside an aligned 8-byte word: never seen torn. Needs a writable mapping.
 *   two steps    second byte first: 0f d0, an undefined instruction that lazy/fault.c takes for a trap of the site
 *                (the record is published already); a barrier that makes every core refetch; then the first byte.
 *                (Intel SDM 9.1.3, cross-modifying code; membarrier(2), PRIVATE_EXPEDITED_SYNC_CORE.)
 *                The order matters: ff 05 would be inc mem. Undone in the reverse order.
 *
 * /proc/self/mem writes private pages whatever their protection, without splitting the mapping. It is not one
 * store, so a process with threads uses two steps there. Where it fails (MAP_SHARED: EIO; a hardened kernel; no
 * /proc) mprotect opens the pages for the moment of the store and gives back exactly what they had. A shared
 * mapping of a file that others can open is left alone: the bytes would reach the file.
 */
#include "lazy/patch.h"
#include "base/copy.h"
#include "base/os.h"
#include "lazy/codefd.h"
#include "lazy/maps.h"
#include <linux/errno.h>
#include <linux/mman.h>
#include "base/poison.h"

enum { OLD_FIRST = 0x0f, OLD_SECOND = 0x05, NEW_FIRST = 0xff, NEW_SECOND = 0xd0 };

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
	if (put_byte(fd, site + 1, NEW_SECOND))
		return ZL_UNWRITABLE;
	if (barrier() == 0 && put_byte(fd, site, NEW_FIRST) == 0)
		return ZL_OK;
	put_byte(fd, site + 1, OLD_SECOND);
	return ZL_NO_BARRIER;
}

static enum zl_verdict write_by_fd(int fd, uintptr_t site)
{
	static const uint8_t bytes[] = { NEW_FIRST, NEW_SECOND };
	if (is_threaded())
		return has_barrier ? put_two_steps(fd, site) : ZL_NO_BARRIER;
	switch (zl_os_write_at(fd, bytes, sizeof(bytes), site)) {
	case sizeof(bytes):
		return ZL_OK;
	case 1:   /* across two pages, the second not writable: ff 05 must not stay */
		put_byte(fd, site, OLD_FIRST);
		return ZL_UNWRITABLE;
	default:
		return ZL_UNWRITABLE;
	}
}

static enum zl_verdict write_open(uintptr_t site)
{
	/* x86 stores 16 bits at any address at once when they lie in one aligned word */
	if (is_in_one_word(site) || !is_threaded())
		return zl_store16(site, NEW_FIRST | NEW_SECOND << 8) ? ZL_OK : ZL_UNWRITABLE;
	return has_barrier ? put_two_steps(-1, site) : ZL_NO_BARRIER;
}

/* The page of `address` opened for writing; protection is what to give back. */
static bool open_page(uintptr_t address, struct zl_mapping *mapping)
{
	if (!zl_maps_find(address, mapping) || (mapping->is_shared && mapping->has_file))
		return false;
	return (mapping->protection & PROT_WRITE) ||
	       zl_os_protect(zl_align_down(address, ZL_PAGE), ZL_PAGE, mapping->protection | PROT_WRITE) == 0;
}

static void close_page(uintptr_t address, const struct zl_mapping *mapping)
{
	if (!(mapping->protection & PROT_WRITE))
		zl_raw(__NR_mprotect, zl_align_down(address, ZL_PAGE), ZL_PAGE, mapping->protection);
}

static enum zl_verdict write_by_mprotect(uintptr_t site)
{
	struct zl_mapping first, second;
	bool has_two = site % ZL_PAGE == ZL_PAGE - 1;
	enum zl_verdict verdict = ZL_UNWRITABLE;

	if (!open_page(site, &first))
		return ZL_UNWRITABLE;
	if (!has_two || open_page(site + 1, &second)) {
		verdict = write_open(site);
		if (has_two)
			close_page(site + 1, &second);
	}
	close_page(site, &first);
	return verdict;
}

enum zl_verdict zl_patch_site(uintptr_t site)
{
	int fd = zl_codefd_get();
	enum zl_verdict verdict = fd >= 0 ? write_by_fd(fd, site) : ZL_UNWRITABLE;
	return verdict == ZL_OK ? ZL_OK : write_by_mprotect(site);
}
