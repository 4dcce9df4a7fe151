/* trap.c - the first calls of a site
 *
 * Runs in the SIGSYS handler. Judged under the patch lock, published before its bytes change; who loses the race
 * finds it patched. A site that was refused, or that is kept because page zero is not in use, is marked, so its
 * next trap costs one look at the bitmap.
 *
 * What stands in the way only this time is no reason to mark a site, for others may call it:
 *   no thread pointer       the decoder can't run; found out before the lock, at a tenth of the cost of the trap
 *   a seccomp filter        of this thread, which forbids what patching needs; the same
 *   number 15, not by mov   rt_sigreturn through a site that makes other calls, too; found out before the judgement
 *   no answer from the kernel about the mapping (a full table of descriptors): MOST_UNANSWERED times in a process
 */
#include "lazy/trap.h"
#include "base/copy.h"
#include "base/seccomp.h"
#include "base/string.h"
#include "base/tally.h"
#include "lazy/bytes.h"
#include "lazy/debug.h"
#include "lazy/decoder.h"
#include "lazy/judge.h"
#include "lazy/patch.h"
#include "lazy/sites.h"
#include <asm/prctl.h>
#include "base/poison.h"

enum { MOST_UNANSWERED = 1000 };
enum { LATER = ZL_VERDICTS };   /* beside enum zl_verdict: nothing decided, nothing marked */
bool zl_may_rewrite;

/* Copy the `wanted` bytes before the site, or as many of them as lie in its page; returns how many. */
static unsigned read_before(uint8_t *to, uintptr_t site, unsigned wanted)
{
	unsigned in_page = (unsigned)(site % ZL_PAGE);
	if (in_page >= wanted)
		return zl_copy_in(to, site - wanted, wanted) ? wanted : 0;
	if (zl_copy_in(to, site - wanted, wanted))
		return wanted;
	return in_page && zl_copy_in(to, site - in_page, in_page) ? in_page : 0;
}

/* The same of the bytes from the site on. */
static unsigned read_after(uint8_t *to, uintptr_t site, unsigned wanted)
{
	unsigned in_page = ZL_PAGE - (unsigned)(site % ZL_PAGE);
	if (zl_copy_in(to, site, wanted))
		return wanted;
	return in_page < wanted && zl_copy_in(to, site, in_page) ? in_page : 0;
}

static bool read_code(uintptr_t site, struct zl_code *code)
{
	code->site_offset = read_before(code->bytes, site, ZL_JUDGE_BEFORE);
	code->size = code->site_offset;
	code->size += read_after(code->bytes + code->site_offset, site, ZL_JUDGE_AFTER);
	return code->size >= code->site_offset + ZL_SITE_SIZE;
}

/* The decoder reads its stack canary at fs:0x28. */
static bool has_thread_pointer(void)
{
	unsigned long fs = 0;
	zl_raw(__NR_arch_prctl, ARCH_GET_FS, &fs);
	return fs != 0;
}

static bool is_forbidden(void)
{
	const struct zl_seccomp *filters = zl_seccomp_here();
	return filters && filters->forbids_patching;
}

/* Neighbours that are rewritten already are system calls to the judge, not calls, so that its answer doesn't depend on
 * the order. Also where only the second byte is new. */
static void restore_neighbours(uintptr_t site, struct zl_code *code)
{
	uintptr_t start = site - code->site_offset;

	for (unsigned at = 0; at + ZL_SITE_SIZE <= code->size; at++) {
		uint8_t *bytes = code->bytes + at;

		if (bytes[1] != ZL_NEW_SECOND || (bytes[0] != ZL_NEW_FIRST && bytes[0] != ZL_OLD_FIRST) ||
		    !zl_site_is_patched(start + at + ZL_SITE_SIZE))
			continue;
		bytes[0] = ZL_OLD_FIRST;
		bytes[1] = ZL_OLD_SECOND;
	}
}

/* A verdict, or LATER. locks: zl_patch_lock */
static unsigned examine(uintptr_t site, uint64_t number)
{
	static struct zl_code code;   /* under the lock */
	const uint8_t *bytes;

	if (!read_code(site, &code))
		return ZL_UNREADABLE;
	bytes = code.bytes + code.site_offset;
	if (bytes[0] != ZL_OLD_FIRST || bytes[1] != ZL_OLD_SECOND)
		return LATER;   /* another thread was faster */
	if ((uint32_t)number == __NR_rt_sigreturn)
		return zl_judge_is_restorer(&code) ? ZL_SIGRETURN : LATER;
	restore_neighbours(site, &code);
	return zl_judge(&code);
}

/* A verdict, or LATER. locks: zl_patch_lock */
static unsigned rewrite(struct zl_leaf *leaf, uintptr_t site)
{
	static unsigned unanswered;   /* under the lock */
	long result;

	zl_site_publish(leaf, site + ZL_SITE_SIZE);
	result = zl_patch_site(site);
	if (result != ZL_OK)
		zl_site_retract(leaf, site + ZL_SITE_SIZE);
	if (result >= 0)
		return (unsigned)result;
	return unanswered++ < MOST_UNANSWERED ? LATER : ZL_UNWRITABLE;
}

static void record_refused(uintptr_t site, uint64_t number, unsigned verdict)
{
	uint32_t i = atomic_fetch_add_explicit(&zl_shared->refused_used, 1, memory_order_relaxed);
	struct zl_refused_site *record;

	zl_tally_add(&zl_shared->tally.refused[verdict], 1);
	if (i >= ZL_SHARED_REFUSED)
		return;
	record = &zl_shared->refused[i];
	record->verdict = verdict;
	record->pid = (int32_t)zl_raw(__NR_getpid);
	record->number = (uint32_t)number;
	record->address = site;
	zl_copy_in(record->bytes, site - 8, sizeof(record->bytes));
	atomic_store_explicit(&record->ready, 1, memory_order_release);
}

/* locks: zl_patch_lock */
static void consider(uintptr_t after, uint64_t number)
{
	struct zl_leaf *leaf = zl_leaf_make(after);
	uintptr_t site = after - ZL_SITE_SIZE;
	unsigned verdict;

	if (!leaf || zl_site_bit(leaf->refused, after))
		return;
	if (!zl_may_rewrite) {
		zl_site_refuse(leaf, after);
		zl_tally_add(&zl_shared->tally.kept, 1);
		zl_debug_refused(site, number, "page zero is not in use");
		return;
	}
	verdict = examine(site, number);
	if (verdict == ZL_OK)
		verdict = rewrite(leaf, site);
	if (verdict == ZL_OK) {
		zl_tally_add(&zl_shared->tally.rewrites, 1);
	} else if (verdict != LATER) {
		zl_site_refuse(leaf, after);
		record_refused(site, number, verdict);
		zl_debug_refused(site, number, zl_verdict_text(verdict));
	}
}

void zl_site_trapped(uintptr_t after, uint64_t number)
{
	const struct zl_leaf *leaf = zl_leaf_find(after);

	zl_tally_add(&zl_shared->tally.traps, 1);
	if (leaf && zl_site_bit(leaf->refused, after))
		return;
	if (zl_may_rewrite && (is_forbidden() || (zl_decoder && !has_thread_pointer())))
		return;
	zl_lock(&zl_patch_lock);
	consider(after, number);
	zl_unlock(&zl_patch_lock);
}

bool zl_site_is_copy(uintptr_t after, uint64_t number)
{
	enum { MOV_EAX = 0xb8, MOV_SIZE = 5 };
	uint8_t bytes[MOV_SIZE + ZL_SITE_SIZE];
	uint32_t moved;
	struct zl_leaf *leaf;

	if (!zl_copy_in(bytes, after - sizeof(bytes), sizeof(bytes)) || bytes[0] != MOV_EAX)
		return false;
	memcpy(&moved, bytes + 1, sizeof(moved));
	if (moved != number || bytes[MOV_SIZE] != ZL_NEW_FIRST || bytes[MOV_SIZE + 1] != ZL_NEW_SECOND)
		return false;
	zl_lock(&zl_patch_lock);
	leaf = zl_leaf_make(after);
	if (leaf)
		zl_site_publish(leaf, after);
	zl_unlock(&zl_patch_lock);
	return leaf != NULL;
}
