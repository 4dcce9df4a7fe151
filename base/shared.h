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
#include <stdint.h>

#define ZL_SHARED_MAGIC 0x317a616c7aUL

enum { ZL_SHARED_NUMBERS = 513, ZL_SHARED_OTHER = 512, ZL_SHARED_SLOTS = 128, ZL_SHARED_REFUSED = 1024 };

/* What one process, or a whole run, did to its sites. */
struct zl_tally {
	_Atomic uint64_t traps;            /* SIGSYS of a system call */
	_Atomic uint64_t rewrites;         /* sites given `call *%rax` */
	_Atomic uint64_t kept;             /* sites left trapping because page zero is not in use */
	_Atomic uint64_t refused[ZL_VERDICTS]; /* sites left trapping, by reason */
	_Atomic uint64_t processes;        /* process images started */
};

/* One refused site. `ready` is set last. */
struct zl_refused_site {
	_Atomic uint32_t ready;
	uint32_t verdict;                  /* enum zl_verdict */
	int32_t pid;
	uint32_t number;                   /* of the call that was refused */
	uint64_t address;
	unsigned char bytes[16];           /* from 8 before the site on; zero where unreadable */
};

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
		[ZL_OPEN] = "in writable memory, its number not by mov",
	};

	return verdict < ZL_VERDICTS && words[verdict] ? words[verdict] : "another reason";
}

struct zl_call_count { _Atomic uint64_t calls, errors, ticks; };  /* ticks: of rdtsc */

struct zl_shared {
	uint64_t magic, size;
	uint32_t count_calls;              /* set by the command for -c: time and count every call */
	struct zl_tally tally;
	_Atomic uint32_t refused_used;     /* entries claimed; may exceed ZL_SHARED_REFUSED */
	struct zl_refused_site refused[ZL_SHARED_REFUSED];
	struct zl_call_count count[ZL_SHARED_SLOTS][ZL_SHARED_NUMBERS]; /* slot: thread id modulo slots */
};

#endif
