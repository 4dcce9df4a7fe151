/* trap.c - the first calls of a site, and calls from where no site is recorded
 *
 * Runs in the SIGSYS handler. Judged first, then published under the patch lock before its bytes change. Who finds
 * either lock held makes its call by the trap and leaves the site for the next time: nobody waits here. A page that
 * userfaultfd holds back is waited for by the judge only, whose lock nobody else takes: who holds the patch lock
 * touches nothing but the site, which has just been executed. A site that was refused, or that is kept because page
 * zero is not in use, is marked, so its next trap costs one look at the bitmap.
 *
 * What stands in the way only this time is no reason to mark a site, for others may call it:
 *   no thread pointer       the decoder can't run; found out before the lock, at a tenth of the cost of the trap
 *   a seccomp filter        of this thread, which forbids what patching needs; the same
 *   number 15, not by mov   rt_sigreturn through a site that makes other calls, too; found out before the judgement
 *   no answer from the kernel about the mapping (a full table of descriptors), no memory for a stub:
 *                           MOST_UNANSWERED times in a process
 *   its memory is gone      another thread has unmapped it
 */
#include "lazy/trap.h"
#include "base/copy.h"
#include "base/fs.h"
#include "base/seccomp.h"
#include "base/string.h"
#include "base/tally.h"
#include "lazy/bytes.h"
#include "lazy/codefd.h"
#include "lazy/debug.h"
#include "lazy/decoder.h"
#include "lazy/judge.h"
#include "lazy/patch.h"
#include "lazy/refused.h"
#include "lazy/sites.h"
#include "lazy/tactic.h"
#include <linux/errno.h>
#include "base/poison.h"

enum { MOST_UNANSWERED = 1000 };
enum { LATER = ZL_VERDICTS };   /* beside enum zl_verdict: nothing decided, nothing marked */
bool zl_may_rewrite;

/* The decoder reads its stack canary at fs:0x28. */
static bool has_thread_pointer(void)
{
	return zl_fs_read() != 0;
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

	zl_stubs_restore(code->bytes, start, code->size);
	for (unsigned at = 0; at + ZL_SITE_SIZE <= code->size; at++) {
		uint8_t *bytes = code->bytes + at;

		if (bytes[1] != ZL_NEW_SECOND || (bytes[0] != ZL_NEW_FIRST && bytes[0] != ZL_OLD_FIRST) ||
		    zl_site_state(start + at + ZL_SITE_SIZE) == ZL_SITE_NONE)
			continue;
		bytes[0] = ZL_OLD_FIRST;
		bytes[1] = ZL_OLD_SECOND;
	}
}

/* What is known of a site before the lock is taken. */
struct opinion {
	unsigned verdict;      /* or LATER */
	struct zl_choice choice;
	uint64_t changes;      /* of sites' bytes, when the code was read */
	enum zl_access access;
	bool may_have_mov;     /* there is room for `mov $number,%eax` before it */
	uint64_t stamp;        /* of the memory that all this is about */
};

struct zl_lock zl_judge_lock;

/* Nobody has changed the memory meanwhile. A lone thread has not entered anything, but may have inherited others'
 * traces. */
static bool is_quiet(uintptr_t site, uint64_t stamp)
{
	return !atomic_load_explicit(&zl_is_threaded, memory_order_acquire) || zl_leaves_are_quiet(site, stamp);
}

static void lose_race(void)
{
	zl_tally_add(&zl_shared->tally.lost_races, 1);
}

static struct opinion judge(uintptr_t site, uint64_t number)
{
	struct opinion opinion = { .verdict = LATER, .stamp = zl_leaves_stamp(site), .changes = zl_poke_changes };
	static struct zl_code code;   /* under the judge's lock */
	const uint8_t *bytes;

	if (!zl_code_read(site, &code))
		return opinion;   /* gone, or execute-only and there is no /proc/self/mem */
	bytes = code.bytes + code.site_offset;
	if (bytes[0] != ZL_OLD_FIRST || bytes[1] != ZL_OLD_SECOND) {
		lose_race();   /* another thread was faster */
		return opinion;
	}
	opinion.access = zl_patch_access(site);
	opinion.may_have_mov = code.site_offset >= ZL_MOV_SIZE;
	restore_neighbours(site, &code);
	if ((uint32_t)number == __NR_rt_sigreturn && !zl_judge_is_restorer(&code))
		return opinion;
	zl_tactic_choose(&code, site, number, &opinion.choice);
	opinion.verdict = opinion.choice.verdict;
	return opinion;
}

/* One thread at a time. */
static struct opinion examine(uintptr_t site, uint64_t number)
{
	struct opinion opinion = { .verdict = LATER };

	if (!zl_try_lock(&zl_judge_lock)) {
		lose_race();
		return opinion;
	}
	opinion = judge(site, number);
	zl_unlock(&zl_judge_lock);
	return opinion;
}

static bool are_bytes(uintptr_t site, uint8_t first, uint8_t second)
{
	uint8_t bytes[ZL_SITE_SIZE];
	return zl_codefd_read(bytes, site, sizeof(bytes)) && bytes[0] == first && bytes[1] == second;
}

/* A verdict, or LATER. locks: zl_patch_lock */
static unsigned rewrite(struct zl_leaf *leaf, uintptr_t site, uint64_t number, const struct opinion *opinion)
{
	static unsigned unanswered;   /* under the lock */
	enum zl_site_state state;
	bool has_mov = opinion->may_have_mov && zl_code_moves(site, number, false);
	long result = zl_patch_plan(site, opinion->access, has_mov, &state);

	if (result == ZL_OK) {
		const struct zl_tactic *tactic = zl_tactic_take(&opinion->choice, site, &state);
		if (!tactic)
			return state == ZL_SITE_OPEN ? ZL_OPEN : ZL_GENERATED;
		result = tactic->apply(leaf, site + ZL_SITE_SIZE, state, &opinion->choice.jump);
		if (result == ZL_OK)
			zl_tally_add(&zl_shared->tally.rewrites[tactic - zl_tactic], 1);
	}
	if (result >= 0)
		return (unsigned)result;
	if (result == -EAGAIN || unanswered++ < MOST_UNANSWERED)
		return LATER;
	return result == -ENOMEM ? ZL_NO_ROOM : ZL_UNWRITABLE;
}

/* locks: zl_patch_lock */
static void refuse(struct zl_leaf *leaf, uintptr_t site, uint64_t number, unsigned verdict)
{
	zl_site_refuse(leaf, site + ZL_SITE_SIZE);
	if (zl_may_rewrite)
		zl_refused_record(site, number, verdict);
	else
		zl_tally_add(&zl_shared->tally.kept, 1);
	zl_debug_refused(site, number, zl_may_rewrite ? zl_verdict_text(verdict) : "the tactic is trap");
}

/* The code may have been read while a neighbour was half rewritten: it may look like anything then. */
static bool was_disturbed(const struct opinion *opinion)
{
	return opinion->changes % 2 || opinion->changes != zl_poke_changes;
}

/* locks: zl_patch_lock */
static void decide(uintptr_t after, uint64_t number, struct opinion opinion)
{
	struct zl_leaf *leaf = zl_leaf_make(after);
	uintptr_t site = after - ZL_SITE_SIZE;

	if (!leaf)
		return;
	if (zl_site_bit(leaf->refused, after) || zl_site_bit(leaf->jumped, after) || !is_quiet(site, opinion.stamp) ||
	    (zl_may_rewrite && !are_bytes(site, ZL_OLD_FIRST, ZL_OLD_SECOND)))   /* judged a while ago */
		return lose_race();
	if (zl_may_rewrite && opinion.verdict != ZL_OK && was_disturbed(&opinion))
		return lose_race();
	if (zl_may_rewrite && opinion.verdict == ZL_OK)
		opinion.verdict = rewrite(leaf, site, number, &opinion);
	if (!zl_may_rewrite || (opinion.verdict != ZL_OK && opinion.verdict != LATER))
		refuse(leaf, site, number, opinion.verdict);
}

void zl_site_trapped(uintptr_t after, uint64_t number)
{
	const struct zl_leaf *leaf = zl_leaf_find(after);
	struct opinion opinion = { .verdict = ZL_OK, .stamp = zl_leaves_stamp(after - ZL_SITE_SIZE) };

	zl_tally_add(&zl_shared->tally.traps, 1);
	if (leaf && zl_site_bit(leaf->refused, after)) {
		zl_refused_trapped(after, number);
		return;
	}
	if (leaf && zl_site_bit(leaf->jumped, after) && are_bytes(after - ZL_SITE_SIZE, ZL_OLD_FIRST, ZL_OLD_SECOND)) {
		zl_tally_add(&zl_shared->tally.at_straight, 1);   /* not by its mov */
		return;
	}
	if (zl_may_rewrite && (is_forbidden() || (zl_decoder && !has_thread_pointer())))
		return;
	if (zl_may_rewrite)
		opinion = examine(after - ZL_SITE_SIZE, number);
	if (opinion.verdict == LATER)
		return;
	if (!zl_try_lock(&zl_patch_lock))
		return lose_race();
	decide(after, number, opinion);
	zl_unlock(&zl_patch_lock);
}

/* Is there a call instruction, as compilers make them, that ends here? */
static bool ends_call(uintptr_t after)
{
	static const struct { uint8_t length, first, mask, second; } forms[] = {
		{ 2, 0xff, 0xf8, 0xd0 }, { 2, 0xff, 0xf8, 0x10 }, { 3, 0xff, 0xf8, 0x50 }, { 3, 0xff, 0xff, 0x14 },
		{ 4, 0xff, 0xff, 0x54 }, { 6, 0xff, 0xf8, 0x90 }, { 6, 0xff, 0xff, 0x15 }, { 7, 0xff, 0xff, 0x14 },
		{ 7, 0xff, 0xff, 0x94 }, { 5, 0xe8, 0, 0 },
	};
	uint8_t bytes[2];

	for (size_t i = 0; i < ZL_ARRAY_SIZE(forms); i++)
		if (zl_codefd_read(bytes, after - forms[i].length, sizeof(bytes)) && bytes[0] == forms[i].first &&
		    (bytes[1] & forms[i].mask) == forms[i].second)
			return true;
	return false;
}

/* The call is the program's copy of a site, or what was a copy is a call of its own: change the state, if all is still
 * as it was. Without a lock that is held already: the next call comes here, too. */
static void record(uintptr_t after, uint64_t number, enum zl_site_state state, bool is_copy)
{
	uintptr_t site = after - ZL_SITE_SIZE;
	uint64_t stamp = zl_leaves_stamp(site);
	struct zl_leaf *leaf;

	if (!zl_try_lock(&zl_patch_lock))
		return;
	leaf = zl_leaf_make(after);
	if (leaf && is_quiet(site, stamp) && zl_site_state(after) == state &&
	    are_bytes(site, ZL_NEW_FIRST, ZL_NEW_SECOND) &&
	    zl_code_moves(site, number, state == ZL_SITE_OPEN) == is_copy) {
		if (is_copy)
			zl_site_publish(leaf, after, ZL_SITE_OPEN);
		else
			zl_site_retract(leaf, after);
	}
	zl_unlock(&zl_patch_lock);
}

/* The call instruction at after - 2 is `call *%rax`. */
static bool claims_call(uintptr_t after, uint64_t number, enum zl_site_state state)
{
	bool is_copy = zl_code_moves(after - ZL_SITE_SIZE, number, state == ZL_SITE_OPEN);

	if (is_copy != (state == ZL_SITE_OPEN))
		record(after, number, state, is_copy);
	return is_copy;
}

bool zl_site_look(uintptr_t site, enum zl_site_state *state, uint8_t bytes[ZL_SITE_SIZE])
{
	enum zl_site_state before;
	bool is_readable;

	do {
		before = zl_site_state(site + ZL_SITE_SIZE);
		is_readable = zl_codefd_read(bytes, site, ZL_SITE_SIZE);
		*state = zl_site_state(site + ZL_SITE_SIZE);
	} while (*state != before);
	return is_readable;
}

/* What stands there, and what is recorded of it; the stamp of its memory before (lazy/leaves.h). */
struct look { bool is_readable; uint8_t bytes[ZL_SITE_SIZE]; enum zl_site_state state; uint64_t stamp; };

static struct look look_at(uintptr_t after)
{
	struct look look = { .stamp = zl_leaves_stamp(after - ZL_SITE_SIZE) };
	look.is_readable = zl_site_look(after - ZL_SITE_SIZE, &look.state, look.bytes);
	return look;
}

static bool are_equal(const struct look *a, const struct look *b)
{
	return a->is_readable == b->is_readable && a->state == b->state && a->bytes[0] == b->bytes[0] &&
	       a->bytes[1] == b->bytes[1] && a->stamp == b->stamp;
}

/* Is there a site, or was there until a while ago? One that comes meanwhile is no longer what was, but there; one that
 * goes then was again. */
static bool is_known(uintptr_t after)
{
	return zl_site_was(after) || zl_site_state(after) != ZL_SITE_NONE || zl_site_was(after);
}

static bool claims(const struct look *look, uintptr_t after, uint64_t number)
{
	const uint8_t *bytes = look->bytes;

	if (look->state == ZL_SITE_PATCHED)
		return true;
	if (!look->is_readable)
		return look->state == ZL_SITE_OPEN || is_known(after);
	if (bytes[0] == ZL_OLD_FIRST && (bytes[1] == ZL_OLD_SECOND || bytes[1] == ZL_NEW_SECOND))
		return is_known(after);
	if (bytes[0] == ZL_NEW_FIRST && bytes[1] == ZL_NEW_SECOND)
		return claims_call(after, number, look->state);
	return zl_site_was(after) ? !ends_call(after) : zl_site_state(after) == ZL_SITE_PATCHED;
}

/* "No" holds only of what has stayed as it was: other threads may unmap the code, map it anew, and call there, all
 * since this one has looked. Where they never cease to, it holds all the same: the call may be one through NULL, and
 * has to end. In the signal handler; waits for no lock. */
bool zl_site_claims(uintptr_t after, uint64_t number)
{
	enum { LOOKS = 64 };
	struct look now = look_at(after), then;
	int looks = 1;

	do {
		then = now;
		if (claims(&then, after, number))
			return true;
		now = look_at(after);
	} while (!are_equal(&then, &now) && ++looks < LOOKS);
	return false;
}
