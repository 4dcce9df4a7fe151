/* shared.h - the counters that a run keeps in one shared file mapping
 *
 * `zlazy -c` and `zlazy --stats` make the file, name it in ZLAZY_STATS and stay as parent; every process of the
 * run maps it at start. A mapping outlives close_range(), and what was counted outlives SIGKILL. Each field is
 * only ever added to, by relaxed atomic operations, so nobody owns a slot and nobody has to flush. A process
 * without ZLAZY_STATS has the same struct in its own memory.
 *
 * Used by agent/ (freestanding) and by tools/ (with libc): nothing but numbers, structs and words here.
 */
#ifndef ZL_BASE_SHARED_H
#define ZL_BASE_SHARED_H

#include "base/verdict.h"
#include <stdbool.h>
#include <stdint.h>

#define ZL_SHARED_MAGIC 0x317a616c7aUL

enum { ZL_SHARED_NUMBERS = 513, ZL_SHARED_OTHER = 512, ZL_SHARED_SLOTS = 128, ZL_SHARED_REFUSED = 1024 };

/* What one process, or a whole run, did to its sites. */
struct zl_tally {
	_Atomic uint64_t traps;            /* SIGSYS of a system call */
	_Atomic uint64_t rewrites[ZL_TACTIC_KINDS]; /* sites rewritten, by tactic */
	_Atomic uint64_t kept;             /* sites left trapping by ZLAZY_TACTIC=trap */
	_Atomic uint64_t refused[ZL_VERDICTS]; /* sites left trapping, by reason */
	_Atomic uint64_t processes;        /* process images started */
	/* Of the traps, besides the first of each site that is counted above: */
	_Atomic uint64_t at_refused;       /* at sites that were refused */
	_Atomic uint64_t at_kept;          /* at sites kept trapping by ZLAZY_TACTIC=trap */
	_Atomic uint64_t at_straight;      /* at sites whose mov is a jump, by who came another way */
	_Atomic uint64_t at_sigreturn;     /* rt_sigreturn, at either */
	_Atomic uint64_t lost_races;       /* another thread had rewritten or refused the site meanwhile */
	_Atomic uint64_t int80;            /* not among the traps: int $0x80, which traps at each call */
};

enum zl_refused_state { ZL_REFUSED_FREE, ZL_REFUSED_BUSY, ZL_REFUSED_READY };

/* Refused sites that are the same: at one offset of one file, with the same bytes, for the same reason. The array is a
 * hash table without deletion. An entry belongs to who has made it busy; it doesn't change once it is ready, but for
 * the sums. (Two processes that add the same site at one moment make two entries; the command joins them.) */
struct zl_refused_site {
	_Atomic uint32_t state;            /* enum zl_refused_state */
	uint32_t hash;                     /* of what makes it the same */
	uint32_t verdict;                  /* enum zl_verdict */
	uint32_t number;                   /* of the first one: the call, */
	int32_t pid;
	uint64_t address;
	uint64_t offset;                   /* in the file or the vDSO; 0 in memory that has neither */
	_Atomic uint64_t sites;            /* how many there are: one in each process, if a file's, mostly */
	_Atomic uint64_t traps;
	bool is_place_known;               /* else the kernel has not told `name` */
	uint8_t first, end;                /* bytes[first..end) could be read */
	unsigned char bytes[16];           /* from ZL_REFUSED_AT before the site on */
	char name[248];                    /* of the mapping, as /proc/self/maps has it; "..." and its end, if long */
};

enum { ZL_REFUSED_AT = 8 };

static inline bool zl_refused_is_same(const struct zl_refused_site *a, const struct zl_refused_site *b)
{
	if (a->hash != b->hash || a->verdict != b->verdict || a->offset != b->offset || a->first != b->first ||
	    a->end != b->end || a->is_place_known != b->is_place_known)
		return false;
	for (unsigned i = 0; i < sizeof(a->bytes); i++)
		if (a->bytes[i] != b->bytes[i])
			return false;
	for (unsigned i = 0; a->name[i] == b->name[i]; i++)
		if (!a->name[i])
			return true;
	return false;
}

/* Why a site is left trapping, in words. */
static inline const char *zl_verdict_text(unsigned verdict)
{
	static const char *const words[ZL_VERDICTS] = {
		[ZL_OK] = "not refused",
		[ZL_NO_DECODER] = "no instruction decoder is loaded",
		[ZL_INSIDE] = "inside another instruction, or unclear",
		[ZL_RED_ZONE] = "the stack slot below may be in use",
		[ZL_TOO_LONG] = "its function is too long to judge",
		[ZL_SIGRETURN] = "signal return, known by its bytes",
		[ZL_UNWRITABLE] = "its page can't be written",
		[ZL_NO_BARRIER] = "crosses a word, and no membarrier",
		[ZL_SHARED] = "in shared memory",
		[ZL_OPEN] = "in memory that the program can write",
		[ZL_NO_ROOM] = "no page zero, no room for a jump",
		[ZL_GENERATED] = "no page zero, and in no file",
	};

	return verdict < ZL_VERDICTS && words[verdict] ? words[verdict] : "another reason";
}

/* Calls that the agent makes for itself by base/os.h, counted in builds with ZL_FAULT_INJECTION only. */
enum zl_own_call {
	ZL_OWN_MAP, ZL_OWN_UNMAP, ZL_OWN_PROTECT, ZL_OWN_OPEN, ZL_OWN_READ, ZL_OWN_WRITE, ZL_OWN_DUP, ZL_OWN_QUERY,
	ZL_OWN_BARRIER, ZL_OWN_CALLS
};
struct zl_own_calls { _Atomic uint64_t made[ZL_OWN_CALLS], failed[ZL_OWN_CALLS]; };

static inline const char *zl_own_call_name(unsigned call)
{
	static const char *const names[ZL_OWN_CALLS] = { "map", "unmap", "protect", "open", "read", "write", "dup", "query",
							 "barrier" };
	return names[call];
}

struct zl_call_count { _Atomic uint64_t calls, errors, ticks; };  /* ticks: of rdtsc */

struct zl_shared {
	uint64_t magic, size;
	uint32_t count_calls;              /* set by the command for -c: time and count every call */
	uint32_t lists_sites;              /* set by the command for --stats: fill `refused` */
	struct zl_tally tally;
	struct zl_own_calls own;
	_Atomic uint64_t unlisted;         /* refused sites for which `refused` had no room */
	struct zl_refused_site refused[ZL_SHARED_REFUSED];
	struct zl_call_count count[ZL_SHARED_SLOTS][ZL_SHARED_NUMBERS]; /* slot: thread id modulo slots */
};

#endif
