/* patch.c - replace the two bytes of a site while other threads may run them
 *
 * Old and new bytes (lazy/bytes.h) mean the same to the program, so a stale fetch is harmless; only a mixture is
 * not. Two ways:
 *
 *   one store    16 bits inside an aligned 8-byte word: never seen torn. Needs a writable mapping.
 *   two steps    second byte first: 0f d0, an undefined instruction that lazy/fault.c takes for a trap of the site
 *                (the record is published already); a barrier that makes every core refetch; then the first byte.
 *                (Intel SDM 9.1.3, cross-modifying code; membarrier(2), PRIVATE_EXPEDITED_SYNC_CORE.)
 *                The order matters: ff 05 would be inc mem. Put back in the reverse order. Inside an aligned word
 *                the barrier is left out: who fetches the word sees it at one moment, and stores in their order.
 *
 * The memory decides who writes:
 *
 *   private, the program can't write     /proc/self/mem, which needs no change of protection and splits no mapping. It is
 *                                        not one store, so with threads it takes two steps. Where it fails (a hardened
 *                                        kernel, no descriptor) mprotect opens the pages for the moment.
 *   private, the program can write       compare-and-swap: the program may be changing the same bytes. Such a site is
 *                                        open: entry.S looks whether `mov $number,%eax` still stands before it, for the
 *                                        program may put a call of its own there. One without it is left alone, and one
 *                                        across two cache lines, whose bytes can't be compared at once.
 *   shared                               left alone, but with ZLAZY_JIT=patch. A record holds for one address in one
 *                                        process, but the bytes change for all views at once; who runs them elsewhere
 *                                        finds no record and is known by the mov (zl_site_claims()).
 *   a private view of a memfd            left alone: with its first byte written the page would no longer follow the
 *                                        memfd, which may be how a JIT writes its code.
 *
 * Memory that the program can write, but no longer execute, is left alone for this time: another thread writes there
 * now.
 *
 * Whether the program can write is asked by MADV_POPULATE_WRITE, which changes no byte; whether memory is shared, by
 * /proc/self/maps, only where it has to be known. (A thread that makes shared code writable in between, a microsecond
 * apart, while it is executed for the first time, deceives this.)
 */
#include "lazy/patch.h"
#include "base/copy.h"
#include "base/os.h"
#include "base/seccomp.h"
#include "base/string.h"
#include "lazy/bytes.h"
#include "lazy/codefd.h"
#include "lazy/debug.h"
#include "lazy/maps.h"
#include "lazy/tactic.h"
#include <asm/prctl.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/membarrier.h>
#include <linux/mman.h>
#include "base/poison.h"

/* 0f d0 could neither be finished nor undone: the record stays, each call is a SIGILL. */
enum { HALF_DONE = -EINPROGRESS };

/* Bytes to be changed; `begin`: the one that goes first in two steps. */
struct change { uint8_t from[ZL_SITE_SIZE], to[ZL_SITE_SIZE]; unsigned begin; };
static const uint8_t half_done[ZL_SITE_SIZE] = { ZL_OLD_FIRST, ZL_NEW_SECOND };
static const struct change rewriting = { { ZL_OLD_FIRST, ZL_OLD_SECOND }, { ZL_NEW_FIRST, ZL_NEW_SECOND }, 1 },
			   restoring = { { ZL_NEW_FIRST, ZL_NEW_SECOND }, { ZL_OLD_FIRST, ZL_OLD_SECOND }, 0 };

/* The mappings of a site's bytes. */
struct place { struct zl_mapping first, second; };

struct zl_lock zl_patch_lock;
enum zl_jit zl_jit;
static bool can_ask_access;

static long populate(uintptr_t page)
{
	return zl_raw(__NR_madvise, page, ZL_PAGE, MADV_POPULATE_WRITE);
}

void zl_patch_start(void)
{
	zl_poke_start();
	can_ask_access = populate(zl_align_down((uintptr_t)&zl_patch_lock, ZL_PAGE)) == 0;
}

static bool is_in_one_word(uintptr_t site)
{
	return site % 8 != 7;
}

static bool is_in_one_line(uintptr_t site)
{
	return site % 64 != 63;
}

static bool has_two_pages(uintptr_t site)
{
	return site % ZL_PAGE == ZL_PAGE - 1;
}

static long swap_result(int swapped)
{
	return swapped > 0 ? 0 : swapped == 0 ? -EAGAIN : -EFAULT;
}

static uint16_t word(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

/* Change one of the two bytes, by /proc/self/mem or, where fd is negative, by a store. Inside a cache line that
 * compares both: the program may be changing the other one. */
static long put_byte(int fd, uintptr_t site, unsigned which, const uint8_t *from, const uint8_t *to)
{
	if (fd >= 0)
		return zl_os_write_at(fd, to + which, 1, site + which) == 1 ? 0 : -EIO;
	if (is_in_one_line(site))
		return swap_result(zl_swap16(site, word(from), word(to)));
	return swap_result(zl_swap8(site + which, from[which], to[which]));
}

static long put_two_steps(int fd, uintptr_t site, const struct change *change)
{
	unsigned a = change->begin, b = 1 - a;
	uint8_t half[ZL_SITE_SIZE];
	long result, undone;

	half[a] = change->to[a];
	half[b] = change->from[b];
	result = put_byte(fd, site, a, change->from, half);
	if (result != 0)
		return result;
	result = zl_poke_is_raced() && !is_in_one_word(site) && zl_poke_barrier() != 0 ?
			 (long)ZL_NO_BARRIER : put_byte(fd, site, b, half, change->to);
	if (result == 0)
		return result;
	undone = put_byte(fd, site, a, half, change->from);
	return undone == 0 || undone == -EAGAIN ? result : HALF_DONE;   /* -EAGAIN: the program's bytes are there */
}

static long write_by_fd(int fd, uintptr_t site, const struct change *change)
{
	if (fd < 0)
		return -EBADF;
	if (zl_poke_is_raced() || has_two_pages(site))
		return put_two_steps(fd, site, change);
	return zl_os_write_at(fd, change->to, ZL_SITE_SIZE, site) == ZL_SITE_SIZE ? ZL_OK : -EIO;
}

static long write_by_store(uintptr_t site, const struct change *change)
{
	if (is_in_one_word(site))
		return swap_result(zl_swap16(site, word(change->from), word(change->to)));
	return put_two_steps(-1, site, change);
}

static long write_by_mprotect(uintptr_t site, const struct place *place, const struct change *change)
{
	long result = -EACCES;

	if (!zl_poke_open(site, &place->first))
		return -EACCES;
	if (!has_two_pages(site) || zl_poke_open(site + 1, &place->second)) {
		result = write_by_store(site, change);
		if (has_two_pages(site))
			zl_poke_close(site + 1, &place->second);
	}
	zl_poke_close(site, &place->first);
	return result;
}

/* Where the two bytes lie. 0 or -errno */
static long look(uintptr_t site, struct place *place)
{
	long result = zl_maps_find(site, &place->first);

	if (result != 0)
		return result;
	place->second = place->first;
	return site + 1 >= place->first.end ? zl_maps_find(site + 1, &place->second) : 0;
}

static enum zl_access access_of_page(uintptr_t address)
{
	uint8_t byte;
	long result = can_ask_access ? populate(zl_align_down(address, ZL_PAGE)) : -ENOSYS;

	if (result == 0)
		return ZL_ACCESS_WRITE;
	/* what a protection key forbids, it forbids to the kernel, too */
	return result == -EINVAL && zl_copy_in(&byte, address, 1) ? ZL_ACCESS_READ : ZL_ACCESS_UNKNOWN;
}

/* The last page that the program can't write, and the last one that it can write and execute. As long as its leaf is
 * active, who changes that takes the patch lock. */
static _Atomic uintptr_t closed_page, live_page;

void zl_patch_forget(void)
{
	closed_page = live_page = 0;
}

enum zl_access zl_patch_access(uintptr_t site)
{
	enum zl_access access = zl_align_down(site, ZL_PAGE) == closed_page ? ZL_ACCESS_READ : access_of_page(site);

	if (access == ZL_ACCESS_READ && has_two_pages(site))
		access = access_of_page(site + 1);
	return access;
}

static bool is_known(uintptr_t site, enum zl_access access)
{
	return zl_maps_is_known_private(site) && zl_maps_is_known_private(site + 1) &&
	       (access == ZL_ACCESS_READ ||
		(access == ZL_ACCESS_WRITE && live_page == zl_align_down(site, ZL_PAGE) && !has_two_pages(site)));
}

/* Whose memory is it? Where zl_patch_access() doesn't tell, protection does. 0 or -errno */
static long inspect(uintptr_t site, enum zl_access *access, struct place *place)
{
	long result;

	memset(place, 0, sizeof(*place));
	if (is_known(site, *access))
		return 0;
	result = look(site, place);
	if (result != 0)
		return result == -ENOENT ? -EAGAIN : result;   /* it is gone */
	if ((place->first.protection | place->second.protection) & PROT_WRITE)
		*access = ZL_ACCESS_WRITE;
	if (*access != ZL_ACCESS_WRITE)
		return 0;
	if (!(place->first.protection & place->second.protection & PROT_EXEC))
		return -EAGAIN;   /* another thread has opened it since, and may just be writing there */
	live_page = zl_align_down(site, ZL_PAGE);
	return 0;
}

long zl_patch_plan(uintptr_t site, enum zl_access access, bool is_described, enum zl_site_state *state)
{
	struct place place;
	long result = inspect(site, &access, &place);
	bool is_shared = place.first.is_shared || place.second.is_shared;

	*state = is_shared || access == ZL_ACCESS_WRITE ? ZL_SITE_OPEN : ZL_SITE_PATCHED;
	if (result != 0)
		return result;
	if (access == ZL_ACCESS_READ)
		closed_page = zl_align_down(site, ZL_PAGE);
	if (place.first.is_view || place.second.is_view)
		return ZL_SHARED;
	if (is_shared && (zl_jit != ZL_JIT_PATCH || !is_described || !is_in_one_word(site)))
		return ZL_SHARED;
	if (*state == ZL_SITE_OPEN && (zl_jit == ZL_JIT_TRAP || !is_described || !is_in_one_line(site)))
		return ZL_OPEN;
	return ZL_OK;
}

/* In memory that is not shared, or with the other views in mind. */
static long write_opened(uintptr_t site, enum zl_site_state state, const struct change *change)
{
	struct place place;
	long result = look(site, &place);

	if (result != 0)
		return result == -ENOENT ? -EAGAIN : result;   /* it is gone */
	if ((place.first.is_shared || place.second.is_shared) && state != ZL_SITE_OPEN)
		return ZL_SHARED;
	result = write_by_mprotect(site, &place, change);
	return result == -EACCES || result == -EFAULT ? (long)ZL_UNWRITABLE : result;
}

static long put(uintptr_t site, enum zl_site_state state, const struct change *change, bool *is_opened)
{
	long result;

	zl_poke_begin();
	result = state == ZL_SITE_OPEN ? write_by_store(site, change) :
					 write_by_fd(zl_poke_descriptor(), site, change);
	*is_opened = result != ZL_OK && result != -EAGAIN && result != HALF_DONE;
	if (*is_opened)
		result = write_opened(site, state, change);
	zl_poke_end();
	return result;
}

long zl_patch_apply(uintptr_t site, enum zl_site_state state)
{
	bool is_opened;
	long result = put(site, state, &rewriting, &is_opened);

	if (result == ZL_OK)
		zl_debug_rewritten(site, zl_poke_is_raced() && !(is_in_one_word(site) && (is_opened || state == ZL_SITE_OPEN)) ?
						 "two steps" : "one store", is_opened);
	return result == HALF_DONE ? ZL_OK : result;
}

bool zl_patch_undo(uintptr_t site, enum zl_site_state state)
{
	uint8_t bytes[ZL_SITE_SIZE];
	bool is_opened;

	if (!zl_codefd_read(bytes, site, sizeof(bytes)) || bytes[1] != ZL_NEW_SECOND ||
	    (bytes[0] != ZL_NEW_FIRST && bytes[0] != ZL_OLD_FIRST))
		return true;
	if (state == ZL_SITE_OPEN && (!zl_code_moves(site, 0, true) || !is_in_one_line(site)))
		return true;   /* the program's own by now, or a copy of its making */
	if (bytes[0] == ZL_OLD_FIRST)
		return put_byte(state == ZL_SITE_OPEN ? -1 : zl_codefd_get(), site, 1, half_done, rewriting.from) == 0;
	switch (put(site, state, &restoring, &is_opened)) {
	case ZL_OK: case -EAGAIN:
		return true;
	default:
		return false;
	}
}

/* Memory for stubs. */
static bool may_map(const struct zl_seccomp *filters)
{
	return zl_seccomp_lets(filters, __NR_mmap, 0, ZL_PAGE, PROT_READ | PROT_WRITE) &&
	       zl_seccomp_lets(filters, __NR_mprotect, 0, ZL_PAGE, PROT_READ | PROT_EXEC) &&
	       zl_seccomp_lets(filters, __NR_munmap, 0, ZL_PAGE, 0);
}

bool zl_patch_may(const struct zl_seccomp *filters)
{
	int fd = zl_codefd_number();

	return fd >= 0 && (!zl_tactics.may_jump || may_map(filters)) && zl_seccomp_lets(filters, __NR_lseek, fd, 0, 1) &&
	       zl_seccomp_lets(filters, __NR_pwrite64, fd, 0, 1) &&
	       zl_seccomp_lets(filters, __NR_madvise, 0, ZL_PAGE, MADV_POPULATE_WRITE) &&
	       zl_seccomp_lets(filters, __NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0) &&
	       zl_seccomp_lets(filters, __NR_arch_prctl, ARCH_GET_FS, 0, 0) &&
	       zl_seccomp_lets(filters, __NR_openat, AT_FDCWD, 0, O_RDONLY | O_CLOEXEC) &&
	       zl_seccomp_lets(filters, __NR_fcntl, fd, F_DUPFD_CLOEXEC, fd) &&
	       zl_seccomp_lets(filters, __NR_close, fd, 0, 0);
}
