/* trap.c - the first calls of a site
 *
 * Runs in the SIGSYS handler. Judged under the patch lock, published before its bytes change; who loses the race
 * finds it patched. A site that was refused, or that is kept because page zero is not in use, is marked, so its
 * next trap costs one look at the bitmap.
 */
#include "lazy/trap.h"
#include "base/copy.h"
#include "base/string.h"
#include "base/tally.h"
#include "lazy/decoder.h"
#include "lazy/judge.h"
#include "lazy/patch.h"
#include "lazy/sites.h"
#include <asm/prctl.h>
#include "base/poison.h"

enum { SITE_SIZE = 2 };
bool zl_may_rewrite;

/* Read [from, to), whole pages at a time from the end nearest to the site; returns how much of it is readable. */
static unsigned read_before(uint8_t *to, uintptr_t site, unsigned wanted)
{
	unsigned in_page = (unsigned)(site % ZL_PAGE);
	if (in_page >= wanted)
		return zl_copy_in(to, site - wanted, wanted) ? wanted : 0;
	if (zl_copy_in(to, site - wanted, wanted))
		return wanted;
	return in_page && zl_copy_in(to, site - in_page, in_page) ? in_page : 0;
}

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
	return code->size >= code->site_offset + SITE_SIZE;
}

/* The decoder reads its stack canary at fs:0x28. */
static bool has_thread_pointer(void)
{
	unsigned long fs = 0;
	zl_raw(__NR_arch_prctl, ARCH_GET_FS, &fs);
	return fs != 0;
}

static enum zl_verdict judge(const struct zl_code *code, uint64_t number)
{
	if ((uint32_t)number == __NR_rt_sigreturn)
		return ZL_SIGRETURN;
	if (!has_thread_pointer())
		return ZL_NO_DECODER;
	return zl_judge(code);
}

static void record_refused(uintptr_t site, uint64_t number, enum zl_verdict verdict)
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
	static struct zl_code code;   /* under the lock */
	struct zl_leaf *leaf = zl_leaf_make(after);
	uintptr_t site = after - SITE_SIZE;
	enum zl_verdict verdict = ZL_UNREADABLE;

	if (!leaf || zl_site_bit(leaf->refused, after))
		return;
	if (!zl_may_rewrite) {
		zl_site_refuse(leaf, after);
		zl_tally_add(&zl_shared->tally.kept, 1);
		return;
	}
	if (read_code(site, &code)) {
		const uint8_t *bytes = code.bytes + code.site_offset;
		if (bytes[0] != 0x0f || bytes[1] != 0x05)
			return;   /* another thread was faster */
		verdict = judge(&code, number);
	}
	if (verdict == ZL_OK) {
		zl_site_publish(leaf, after);
		verdict = zl_patch_site(site);
		if (verdict == ZL_OK) {
			zl_tally_add(&zl_shared->tally.rewrites, 1);
			return;
		}
		zl_site_retract(leaf, after);
	}
	zl_site_refuse(leaf, after);
	record_refused(site, number, verdict);
}

void zl_site_trapped(uintptr_t after, uint64_t number)
{
	const struct zl_leaf *leaf = zl_leaf_find(after);

	zl_tally_add(&zl_shared->tally.traps, 1);
	if (leaf && zl_site_bit(leaf->refused, after))
		return;
	zl_lock(&zl_patch_lock);
	consider(after, number);
	zl_unlock(&zl_patch_lock);
}

bool zl_site_is_copy(uintptr_t after, uint64_t number)
{
	uint8_t bytes[7];
	uint32_t moved;
	struct zl_leaf *leaf;

	if (!zl_copy_in(bytes, after - sizeof(bytes), sizeof(bytes)) || bytes[0] != 0xb8)
		return false;
	memcpy(&moved, bytes + 1, sizeof(moved));
	if (moved != number || bytes[5] != 0xff || bytes[6] != 0xd0)
		return false;
	zl_lock(&zl_patch_lock);
	leaf = zl_leaf_make(after);
	if (leaf)
		zl_site_publish(leaf, after);
	zl_unlock(&zl_patch_lock);
	return leaf != NULL;
}
