/* memory.c - the program's memory calls leave the agent's memory alone
 *
 * The agent's ranges (base/ranges.h) are treated as what they are without the agent: addresses where nothing is
 * mapped. A call that touches none of them is made as it is. Of one that does, the program's parts are changed and the
 * rest is left out:
 *
 *     munmap                             0, as for a hole
 *     madvise, msync                     ENOMEM in the end, when the other parts are done
 *     mprotect, mincore, mlock and kin   the part before the agent's range, then ENOMEM
 *     mseal, remap_file_pages            refused before anything is done
 *     mremap from there                  EFAULT
 *
 * What the kernel has to say of the other arguments it says of addresses that no program has (NOWHERE).
 *
 * A mapping right over the agent's memory (mmap with MAP_FIXED, mremap with MREMAP_FIXED, shmat with SHM_REMAP) can't
 * be had: ENOMEM, and at page zero EPERM, as for a user without the privilege.
 *
 * Hook code may change the hook libraries' memory, but not the agent's either.
 *
 * What these calls mean to the sites in that memory is moving.c's: each owner goes through it.
 */
#include "threads/memory.h"
#include "base/copy.h"
#include "base/ranges.h"
#include "base/raw.h"
#include "threads/call.h"
#include "threads/moving.h"
#include "threads/owners.h"
#include <linux/errno.h>
#include <linux/ipc.h>
#include <linux/mman.h>
#include <linux/shm.h>
#include <linux/uio.h>
#include "base/poison.h"

static const uintptr_t NOWHERE = 0xffff800000000000;   /* the kernel's half: never mapped by a process */

/* The first piece of the agent's in `length` bytes from `start` on. Never where the kernel refuses the range itself. */
static bool find(const struct zl_frame *frame, uintptr_t start, uintptr_t length, struct zl_range *found)
{
	uintptr_t end = zl_align_up(start + length, ZL_PAGE);
	return end > start && length <= -ZL_PAGE - start &&
	       zl_ranges_find(start, end, zl_is_nested(frame) ? ZL_RANGE_HOOKS : ZL_RANGE_KINDS, found);
}

/* The same call for another piece. */
static long call_for(struct zl_frame *frame, uintptr_t start, uintptr_t end)
{
	const long *arg = frame->call.arg;
	return zl_call_as(frame, frame->call.number, (long)start, (long)(end - start), arg[2], arg[3], arg[4], arg[5]);
}

static long call_nowhere(struct zl_frame *frame)
{
	return call_for(frame, NOWHERE, NOWHERE + ZL_PAGE);
}

/* Round as the call does it. false: the kernel refuses such a start. */
static bool round_range(const struct zlazy_call *call, uintptr_t *start, uintptr_t *length)
{
	*start = (uintptr_t)call->arg[0];
	*length = (uintptr_t)call->arg[1];
	switch (call->number) {
	case __NR_mlock: case __NR_mlock2: case __NR_munlock: case __NR_remap_file_pages:
		*length += *start % ZL_PAGE;
		*start = zl_align_down(*start, ZL_PAGE);
		return true;
	default:
		return *start % ZL_PAGE == 0;
	}
}

/* Piece by piece; `continues`: what is not mapped is passed over first, and complained of in the end. */
static long call_around(struct zl_frame *frame, uintptr_t start, uintptr_t end, bool continues)
{
	struct zl_range agent;
	long result;

	do {
		if (!find(frame, start, end - start, &agent))
			agent.start = agent.end = end;
		result = start < agent.start ? call_for(frame, start, agent.start) : 0;
		if (result != 0 && (!continues || result != -ENOMEM))
			return result;
		start = agent.end;
	} while (continues && start < end);
	return call_nowhere(frame);
}

static long make_range(struct zl_frame *frame)
{
	uintptr_t start, length, end;
	struct zl_range agent;

	if (!round_range(&frame->call, &start, &length) || zl_likely(!find(frame, start, length, &agent)))
		return zl_call_make(frame);
	end = zl_align_up(start + length, ZL_PAGE);
	switch (frame->call.number) {
	case __NR_mseal: case __NR_remap_file_pages:
		return call_nowhere(frame);
	case __NR_msync: case __NR_mincore:
		if (zl_is_nested(frame))   /* an unwinder's question: may I read this? */
			return zl_call_make(frame);
		return call_around(frame, start, end, frame->call.number == __NR_msync);
	default:
		return call_around(frame, start, end, frame->call.number == __NR_madvise);
	}
}

/* Pages whose contents may go, by this advice. */
static bool is_loss(long advice)
{
	switch (advice) {
	case MADV_DONTNEED: case MADV_FREE: case MADV_REMOVE: case MADV_DONTNEED_LOCKED: case 102 /* MADV_GUARD_INSTALL */:
		return true;
	default:
		return false;
	}
}

long zl_own_range(struct zl_frame *frame)
{
	const long *arg = frame->call.arg;
	uintptr_t start, length;
	bool is_writable;

	if (!round_range(&frame->call, &start, &length) || start + length < start)
		return make_range(frame);
	switch (frame->call.number) {
	case __NR_mprotect: case __NR_pkey_mprotect:
		is_writable = arg[2] & PROT_WRITE;
		return zl_moving_changes(frame, start, zl_align_up(start + length, ZL_PAGE), !is_writable, make_range);
	case __NR_madvise:
		if (is_loss(arg[2]))
			return zl_moving_changes(frame, start, zl_align_up(start + length, ZL_PAGE), false, make_range);
		return make_range(frame);
	case __NR_remap_file_pages:
		return zl_moving_changes(frame, start, zl_align_up(start + length, ZL_PAGE), false, make_range);
	default:
		return make_range(frame);
	}
}

/* What lies behind the agent's last range goes first: the kernel refuses a range that leaves the address space before
 * it changes anything. */
static long unmap(struct zl_frame *frame)
{
	uintptr_t start = (uintptr_t)frame->call.arg[0], length = (uintptr_t)frame->call.arg[1], end, behind;
	struct zl_range agent;
	long result = 0;

	if (zl_is_nested(frame) && start % ZL_PAGE == 0 && length && start + length > start)
		zl_ranges_remove(start, start + length, ZL_RANGE_HOOKS);
	if (start % ZL_PAGE || zl_likely(!find(frame, start, length, &agent)))
		return zl_call_make(frame);
	end = zl_align_up(start + length, ZL_PAGE);
	for (behind = agent.end; find(frame, behind, end - behind, &agent); behind = agent.end)
		;
	if (behind < end)
		result = call_for(frame, behind, end);
	for (; result == 0 && find(frame, start, behind - start, &agent); start = agent.end)
		if (start < agent.start)   /* by zl_raw: no signal sends the call back half done */
			result = zl_raw(__NR_munmap, start, agent.start - start);
	return result;
}

long zl_own_munmap(struct zl_frame *frame)
{
	uintptr_t start = (uintptr_t)frame->call.arg[0], length = (uintptr_t)frame->call.arg[1];

	if (start % ZL_PAGE || start + length < start)
		return unmap(frame);
	return zl_moving_away(frame, start, zl_align_up(start + length, ZL_PAGE), unmap);
}

/* What hook code maps is the hook libraries', until hook code unmaps it. */
static void note_hooks(long at, long size)
{
	if (zl_is_error(at))
		return;
	zl_ranges_remove((uintptr_t)at, (uintptr_t)at + (uintptr_t)size, ZL_RANGE_HOOKS);
	zl_ranges_add((uintptr_t)at, (uintptr_t)at + (uintptr_t)size, ZL_RANGE_HOOKS);
}

static long refuse_mapping(const struct zl_range *agent)
{
	static _Atomic bool is_said, is_zero_said;

	if (agent->start < ZL_PAGE) {
		zl_refused_once(&is_zero_said, "a mapping at address 0, answered EPERM: the agent has page zero");
		return -EPERM;
	}
	zl_refused_once(&is_said, "a mapping at a fixed address over the agent's memory, answered ENOMEM");
	return -ENOMEM;
}

/* The kernel finds what is wrong with the call otherwise: with MAP_FIXED_NOREPLACE it changes nothing. */
static long map(struct zl_frame *frame)
{
	const long *arg = frame->call.arg;
	struct zl_range agent;
	long flags = arg[3], result;

	if (zl_likely(!(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))) || arg[0] % ZL_PAGE ||
	    !find(frame, (uintptr_t)arg[0], (uintptr_t)arg[1], &agent))
		return zl_call_make(frame);
	if (flags & MAP_FIXED_NOREPLACE && agent.start >= ZL_PAGE)
		return zl_call_make(frame);
	result = zl_call_as(frame, frame->call.number, arg[0], arg[1], arg[2],
			    (flags & ~(long)MAP_FIXED) | MAP_FIXED_NOREPLACE, arg[4], arg[5]);
	return result == -EEXIST || result == -EOPNOTSUPP ? refuse_mapping(&agent) : result;
}

static bool is_mapped(long at)
{
	return !zl_is_error(at) && at != ZLAZY_INTERRUPTED;
}

/* Wherever the kernel has chosen. */
static void note_new(long at, uintptr_t size, bool is_private)
{
	zl_moving_new((uintptr_t)at, (uintptr_t)at + size);
	if (!is_private)
		zl_moving_shared((uintptr_t)at, (uintptr_t)at + size);
}

long zl_own_mmap(struct zl_frame *frame)
{
	const long *arg = frame->call.arg;
	uintptr_t start = zl_align_down((uintptr_t)arg[0], ZL_PAGE), size = zl_align_up((uintptr_t)arg[1], ZL_PAGE);
	bool is_private = arg[3] & MAP_ANONYMOUS && !(arg[3] & MAP_SHARED);
	bool is_told = (arg[0] || arg[3] & MAP_FIXED) && start + size > start;
	long at = is_told ? zl_moving_in(frame, start, start + size, is_private, map) : map(frame);

	if (!is_mapped(at))
		return at;
	if (!is_told || (uintptr_t)at != start)
		note_new(at, size, is_private);
	if (zl_unlikely(zl_is_nested(frame)))
		note_hooks(at, arg[1]);
	return at;
}

static long remap(struct zl_frame *frame)
{
	const long *arg = frame->call.arg;
	uintptr_t size = arg[1] ? (uintptr_t)arg[1] : ZL_PAGE;   /* 0: another mapping of the same shared pages */
	struct zl_range agent;

	if (arg[0] % ZL_PAGE)
		return zl_call_make(frame);
	if (find(frame, (uintptr_t)arg[0], size, &agent))
		return -EFAULT;
	if (arg[3] & MREMAP_FIXED && arg[4] % ZL_PAGE == 0 &&
	    find(frame, (uintptr_t)arg[4], (uintptr_t)arg[2], &agent))
		return refuse_mapping(&agent);
	return zl_call_make(frame);
}

long zl_own_mremap(struct zl_frame *frame)
{
	const long *arg = frame->call.arg;
	long at = zl_moving_by_mremap(frame, remap);

	if (zl_unlikely(zl_is_nested(frame)) && !zl_is_error(at)) {
		if (!(arg[3] & MREMAP_DONTUNMAP))
			zl_ranges_remove((uintptr_t)arg[0], (uintptr_t)arg[0] + (uintptr_t)arg[1], ZL_RANGE_HOOKS);
		note_hooks(at, arg[2]);
	}
	return at;
}

long zl_own_shmat(struct zl_frame *frame)
{
	uintptr_t start = zl_align_down((uintptr_t)frame->call.arg[1], ZL_PAGE);
	struct shmid64_ds segment = { .shm_segsz = 0 };
	struct zl_range agent;
	long at;

	zl_raw(__NR_shmctl, frame->call.arg[0], IPC_STAT, &segment);
	segment.shm_segsz = zl_align_up(segment.shm_segsz, ZL_PAGE);
	if (frame->call.arg[2] & SHM_REMAP && start && find(frame, start, segment.shm_segsz, &agent))
		return refuse_mapping(&agent);
	if (start && start + segment.shm_segsz > start)
		at = zl_moving_in(frame, start, start + segment.shm_segsz, false, zl_call_make);
	else
		at = zl_call_make(frame);
	if (is_mapped(at) && (uintptr_t)at != start)
		note_new(at, segment.shm_segsz, false);
	return at;
}

long zl_own_shmdt(struct zl_frame *frame)
{
	return frame->call.arg[0] % (long)ZL_PAGE ? zl_call_make(frame) : zl_moving_by_shmdt(frame, zl_call_make);
}

/* The heap grows over memory that was nobody's, and leaves some behind when it shrinks. */
long zl_own_brk(struct zl_frame *frame)
{
	static _Atomic long last;
	long at = zl_call_make(frame), before;

	if (!is_mapped(at))
		return at;
	before = atomic_exchange_explicit(&last, at, memory_order_relaxed);
	if (before && before != at)
		zl_moving_new(zl_align_up((uintptr_t)(at < before ? at : before), ZL_PAGE),
			      zl_align_up((uintptr_t)(at < before ? before : at), ZL_PAGE));
	return at;
}

/* Advice that any process may give another one: it loses nothing. */
static bool is_harmless(long advice)
{
	return advice == MADV_COLD || advice == MADV_PAGEOUT || advice == MADV_WILLNEED || advice == MADV_COLLAPSE;
}

/* Only to itself may a process give the rest. It is told of the pieces before the first of the agent's. */
long zl_own_process_madvise(struct zl_frame *frame)
{
	const long *arg = frame->call.arg;
	struct zl_range agent;
	struct iovec piece;
	long result;

	for (long i = 0; !is_harmless(arg[3]) && i < arg[2] && i < UIO_MAXIOV; i++) {
		if (!zl_copy_in(&piece, (uintptr_t)arg[1] + (uintptr_t)i * sizeof(piece), sizeof(piece)))
			break;
		if (!find(frame, (uintptr_t)piece.iov_base, piece.iov_len, &agent)) {
			if (is_loss(arg[3]))
				zl_moving_restore((uintptr_t)piece.iov_base,
						  zl_align_up((uintptr_t)piece.iov_base + piece.iov_len, ZL_PAGE));
			continue;
		}
		result = zl_call_as(frame, frame->call.number, arg[0], arg[1], i, arg[3], arg[4], arg[5]);
		return result == 0 ? -ENOMEM : result;
	}
	return zl_call_make(frame);
}

static bool is_touched(const struct zl_frame *frame, uintptr_t start, uintptr_t length)
{
	struct zl_range agent;
	return find(frame, zl_align_down(start, ZL_PAGE), length + start % ZL_PAGE, &agent);
}

/* Calls whose twins mean the same, and that moving.c must know of. */
static bool moves_sites(long number)
{
	return number == __NR_munmap || number == __NR_mprotect || number == __NR_mremap || number == __NR_madvise ||
	       number == __NR_pkey_mprotect;
}

long zl_memory_i386_mapped(const struct zl_frame *frame, long at)
{
	enum { OLD_MMAP = 90, MMAP2 = 192 };
	uint32_t arg[2] = { 0, (uint32_t)frame->call.arg[1] };   /* address, length */
	long number = frame->call.number;

	if (!is_mapped(at) || (number != OLD_MMAP && number != MMAP2))
		return at;
	if (number == MMAP2 || zl_copy_in(arg, (uintptr_t)frame->call.arg[0], sizeof(arg))) {
		zl_moving_new((uintptr_t)at, zl_align_up((uintptr_t)at + arg[1], ZL_PAGE));
		zl_moving_shared((uintptr_t)at, zl_align_up((uintptr_t)at + arg[1], ZL_PAGE));
	}
	return at;
}

/* mmap of the old kind: its arguments lie in memory. */
bool zl_memory_i386_refuses(const struct zl_frame *frame)
{
	uint32_t arg[6];   /* address, length, protection, flags, descriptor, offset */
	return frame->call.number == 90 && zl_copy_in(arg, (uintptr_t)frame->call.arg[0], sizeof(arg)) &&
	       arg[3] & MAP_FIXED && is_touched(frame, arg[0], arg[1]);
}

/* An overlapping mmap2 is not made, so it doesn't matter that its offset counts pages. */
long zl_memory_i386_twin(const struct zl_frame *frame)
{
	static const struct { short number, twin; } twins[] = {
		{ 91, __NR_munmap }, { 125, __NR_mprotect }, { 144, __NR_msync }, { 150, __NR_mlock },
		{ 151, __NR_munlock }, { 163, __NR_mremap }, { 192, __NR_mmap }, { 218, __NR_mincore },
		{ 219, __NR_madvise }, { 257, __NR_remap_file_pages }, { 376, __NR_mlock2 },
		{ 380, __NR_pkey_mprotect }, { __NR_mseal, __NR_mseal },
	};
	const struct zlazy_call *call = &frame->call;
	const uintptr_t *arg = (const uintptr_t *)call->arg;

	for (size_t i = 0; i < ZL_ARRAY_SIZE(twins); i++) {
		if (call->number != twins[i].number)
			continue;
		if (is_touched(frame, arg[0], arg[1]) ||
		    (twins[i].twin == __NR_mremap && is_touched(frame, arg[4], arg[2])) || moves_sites(twins[i].twin))
			return twins[i].twin;
	}
	return -1;
}
