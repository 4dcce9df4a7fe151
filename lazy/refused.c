/* refused.c - the list of refused sites that `zlazy --stats` prints
 *
 * The list (base/shared.h) is shared by all processes of a run, and outlives them, so what it says of a place is what
 * the command can look up later: the name of the mapping and the offset in the file. Sites that are the same there, in
 * a hundred processes or at a hundred addresses, are one entry with sums. In memory without a file the bytes are all
 * that tells them apart: a JIT puts the same code anywhere.
 *
 * Each process remembers which entry a site has, to count its traps: a small table, by address. Where too many sites
 * meet in it the oldest loses, and its further traps are in the sums only. Entries of code that is gone are harmless:
 * the mark in the bitmap of sites is asked first.
 *
 * The name costs a look at /proc/self/maps, once for a site, and only with --stats.
 */
#include "lazy/refused.h"
#include "base/raw.h"
#include "base/sites.h"
#include "base/string.h"
#include "base/tally.h"
#include "lazy/bytes.h"
#include "lazy/codefd.h"
#include "lazy/maps.h"
#include "lazy/trap.h"
#include "base/poison.h"

enum { KNOWN = 4096, NEAR = 4 };

/* known[i]: the address after a site, 0 if none; entry_of[i]: its entry. Written under zl_patch_lock. */
static _Atomic uintptr_t known[KNOWN];
static _Atomic uint16_t entry_of[KNOWN];

static size_t place_of(uintptr_t after, unsigned i)
{
	return ((after ^ after >> 12) + i) % KNOWN;
}

/* entry: NULL if the site has none. */
static void remember(uintptr_t after, const struct zl_refused_site *entry)
{
	size_t place = place_of(after, 0);

	for (unsigned i = 0; i < NEAR; i++) {
		uintptr_t there = atomic_load_explicit(&known[place_of(after, i)], memory_order_relaxed);
		if (there == 0 || there == after) {
			place = place_of(after, i);
			break;
		}
	}
	atomic_store_explicit(&known[place], 0, memory_order_relaxed);
	if (!entry)
		return;
	atomic_store_explicit(&entry_of[place], (uint16_t)(entry - zl_shared->refused), memory_order_release);
	/* release; pairs with the acquire in recall(). A thread that reads in between counts for the wrong entry. */
	atomic_store_explicit(&known[place], after, memory_order_release);
}

static struct zl_refused_site *recall(uintptr_t after)
{
	for (unsigned i = 0; i < NEAR; i++) {
		size_t place = place_of(after, i);
		if (atomic_load_explicit(&known[place], memory_order_acquire) == after)
			return &zl_shared->refused[atomic_load_explicit(&entry_of[place], memory_order_relaxed)];
	}
	return NULL;
}

/* FNV-1a */
static uint32_t hash(uint32_t sum, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	while (size--)
		sum = (sum ^ *bytes++) * 0x01000193;
	return sum;
}

/* As many of the bytes around the site as can be read; neighbours that are rewritten are shown as they were. */
static void take_bytes(struct zl_refused_site *fresh, uintptr_t site)
{
	static const uint8_t windows[][2] = { { 0, 16 }, { ZL_REFUSED_AT, 16 }, { 0, ZL_REFUSED_AT + ZL_SITE_SIZE },
					      { ZL_REFUSED_AT, ZL_REFUSED_AT + ZL_SITE_SIZE } };
	uintptr_t start = site - ZL_REFUSED_AT;

	for (size_t i = 0; i < ZL_ARRAY_SIZE(windows) && fresh->end == 0; i++) {
		fresh->first = windows[i][0];
		if (zl_codefd_read(fresh->bytes + fresh->first, start + fresh->first, windows[i][1] - fresh->first))
			fresh->end = windows[i][1];
	}
	for (unsigned at = fresh->first; at + ZL_SITE_SIZE <= fresh->end; at++)
		if (fresh->bytes[at] == ZL_NEW_FIRST && fresh->bytes[at + 1] == ZL_NEW_SECOND &&
		    zl_site_state(start + at + ZL_SITE_SIZE) != ZL_SITE_NONE) {
			fresh->bytes[at] = ZL_OLD_FIRST;
			fresh->bytes[at + 1] = ZL_OLD_SECOND;
		}
}

/* Whether the offset says anything: not in memory that only looks like a file. */
static bool has_offset(const char *name)
{
	static const char *const memory[] = { "/memfd:", "/dev/zero (deleted)", "/SYSV", "/anon_hugepage" };

	for (size_t i = 0; i < ZL_ARRAY_SIZE(memory); i++)
		if (zl_after(name, memory[i]))
			return false;
	return name[0] == '/' || name[0] == '.' || zl_equal(name, "[vdso]");
}

static void describe(struct zl_refused_site *fresh, uintptr_t site, uint64_t number, unsigned verdict)
{
	struct zl_mapping mapping;

	memset(fresh, 0, sizeof(*fresh));
	fresh->verdict = verdict;
	fresh->number = (uint32_t)number;
	fresh->pid = (int32_t)zl_raw(__NR_getpid);
	fresh->address = site;
	take_bytes(fresh, site);
	fresh->is_place_known = zl_maps_name(site, &mapping, fresh->name, sizeof(fresh->name)) == 0;
	if (!fresh->is_place_known)
		fresh->name[0] = '\0';
	else if (has_offset(fresh->name))
		fresh->offset = site - mapping.start + mapping.offset;
	fresh->hash = hash(0x811c9dc5, &verdict, sizeof(verdict));
	fresh->hash = hash(fresh->hash, &fresh->offset, sizeof(fresh->offset));
	fresh->hash = hash(fresh->hash, fresh->bytes, sizeof(fresh->bytes));
	fresh->hash = hash(fresh->hash, fresh->name, zl_length(fresh->name));
}

/* The entry of this site, a new one if need be; NULL if there is no room. */
static struct zl_refused_site *find_entry(const struct zl_refused_site *fresh)
{
	for (uint32_t i = 0; i < ZL_SHARED_REFUSED; i++) {
		struct zl_refused_site *entry = &zl_shared->refused[(fresh->hash + i) % ZL_SHARED_REFUSED];
		/* acquire; pairs with the release below, in whatever process */
		uint32_t state = atomic_load_explicit(&entry->state, memory_order_acquire);

		if (state == ZL_REFUSED_FREE &&
		    atomic_compare_exchange_strong(&entry->state, &state, ZL_REFUSED_BUSY)) {
			memcpy((char *)entry + sizeof(entry->state), (const char *)fresh + sizeof(entry->state),
			       sizeof(*entry) - sizeof(entry->state));
			atomic_store_explicit(&entry->state, ZL_REFUSED_READY, memory_order_release);
			return entry;
		}
		if (state == ZL_REFUSED_READY && zl_refused_is_same(entry, fresh))
			return entry;
	}
	return NULL;
}

void zl_refused_record(uintptr_t site, uint64_t number, unsigned verdict)
{
	static struct zl_refused_site fresh;   /* under the lock */
	struct zl_refused_site *entry;

	zl_tally_add(&zl_shared->tally.refused[verdict], 1);
	if (!zl_shared->lists_sites)
		return;
	describe(&fresh, site, number, verdict);
	entry = find_entry(&fresh);
	remember(site + ZL_SITE_SIZE, entry);
	zl_tally_add(entry ? &entry->sites : &zl_shared->unlisted, 1);
	if (entry)
		zl_tally_add(&entry->traps, 1);
}

void zl_refused_trapped(uintptr_t after, uint64_t number)
{
	struct zl_tally *tally = &zl_shared->tally;
	struct zl_refused_site *entry = recall(after);

	zl_tally_add((uint32_t)number == __NR_rt_sigreturn ? &tally->at_sigreturn :
		     zl_may_rewrite ? &tally->at_refused : &tally->at_kept, 1);
	if (entry)
		zl_tally_add(&entry->traps, 1);
}
