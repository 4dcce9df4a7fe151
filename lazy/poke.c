/* poke.c - see poke.h
 *
 * /proc/self/mem needs no change of protection and splits no mapping. Where it fails (a hardened kernel, no
 * descriptor) mprotect opens the pages for the moment.
 */
#include "lazy/poke.h"
#include "base/copy.h"
#include "base/os.h"
#include "lazy/codefd.h"
#include <linux/errno.h>
#include <linux/mman.h>
#include "base/poison.h"

enum { CLOSE_TRIES = 8 };

_Atomic bool zl_is_threaded;
_Atomic uint64_t zl_poke_changes;
static int descriptor = -1;   /* of /proc/self/mem, during a change */

/* Full barriers; pair with the acquire in lazy/fault.c and lazy/trap.c */
void zl_poke_begin(void)
{
	descriptor = zl_codefd_get();
	atomic_fetch_add(&zl_poke_changes, 1);
}

void zl_poke_end(void)
{
	atomic_fetch_add(&zl_poke_changes, 1);
	descriptor = -1;
}

int zl_poke_descriptor(void)
{
	return descriptor;
}

void zl_poke_start(void)
{
	(void)zl_os_barrier_register();
}

long zl_poke_barrier(void)
{
	long result = zl_os_barrier();
	if (result == -EPERM && zl_os_barrier_register() == 0)
		result = zl_os_barrier();
	return result;
}

bool zl_poke_open(uintptr_t address, const struct zl_mapping *mapping)
{
	return (mapping->protection & PROT_WRITE) ||
	       zl_os_protect(zl_align_down(address, ZL_PAGE), ZL_PAGE, mapping->protection | PROT_WRITE) == 0;
}

/* What the kernel has just allowed it can refuse only for want of memory, which passes; if it doesn't, the page stays
 * writable: no reason to end the program. */
void zl_poke_close(uintptr_t address, const struct zl_mapping *mapping)
{
	long result = mapping->protection & PROT_WRITE ? 0 : -EAGAIN;

	for (int i = 0; result != 0 && i < CLOSE_TRIES; i++)
		result = zl_os_protect(zl_align_down(address, ZL_PAGE), ZL_PAGE, mapping->protection);
}

/* Within a page. */
static long poke_opened(uintptr_t to, const uint8_t *bytes, size_t size)
{
	struct zl_mapping mapping;
	long result = zl_maps_find(to, &mapping);

	if (result != 0)
		return result;
	if (mapping.is_shared || !zl_poke_open(to, &mapping))
		return -EACCES;
	result = zl_copy_out(to, bytes, size) ? ZL_POKED_OPENED : -EFAULT;
	zl_poke_close(to, &mapping);
	return result;
}

long zl_poke(uintptr_t to, const uint8_t *bytes, size_t size)
{
	size_t first = ZL_PAGE - to % ZL_PAGE;
	long result;

	if (descriptor >= 0 && zl_os_write_at(descriptor, bytes, size, to) == (long)size)
		return ZL_POKED;
	if (first >= size)
		return poke_opened(to, bytes, size);
	result = poke_opened(to, bytes, first);
	return result < 0 ? result : poke_opened(to + first, bytes + first, size - first);
}
