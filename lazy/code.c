/* code.c - copies the code around a site: its function, where the unwind table knows it, else a window
 *
 * The copy is what the judge reads. Where nothing is mapped it ends.
 */
#include "base/raw.h"
#include "lazy/bytes.h"
#include "lazy/codefd.h"
#include "lazy/judge.h"
#include <linux/errno.h>
#include "base/poison.h"

/* A page beside the site's. */
enum neighbour {
	ABSENT,                /* nothing is mapped there */
	PRESENT,               /* in memory, or nobody tells */
	ELSEWHERE,             /* not in memory: to read it would bring it, which who watches by userfaultfd must not see */
};

static enum neighbour look(uintptr_t address)
{
	unsigned char is_resident = 0;
	long result = zl_raw(__NR_mincore, zl_align_down(address, ZL_PAGE), ZL_PAGE, &is_resident);

	if (result == -ENOMEM)
		return ABSENT;
	return result != 0 || is_resident & 1 ? PRESENT : ELSEWHERE;
}

/* Copy the `wanted` bytes from `from` on, of which `own` lie in the site's page, at their beginning or at their end. Returns
 * how many; -1 if nobody may know now. */
static int read_beside(uint8_t *to, uintptr_t from, unsigned wanted, unsigned own, bool is_before)
{
	enum neighbour neighbour = own < wanted ? look(is_before ? from : from + wanted - 1) : PRESENT;
	uintptr_t own_from = is_before ? from + wanted - own : from;

	if (neighbour == ELSEWHERE)
		return -1;
	if (own >= wanted || neighbour == PRESENT) {
		if (zl_codefd_read(to, from, wanted))
			return (int)wanted;
	}
	return own && own < wanted && zl_codefd_read(to, own_from, own) ? (int)own : 0;
}

/* Of the ZL_JUDGE_BEFORE bytes before the site. */
static int read_before(uint8_t *to, uintptr_t site)
{
	return read_beside(to, site - ZL_JUDGE_BEFORE, ZL_JUDGE_BEFORE, (unsigned)(site % ZL_PAGE), true);
}

/* The same of the bytes from the site on. */
static int read_after(uint8_t *to, uintptr_t site)
{
	return read_beside(to, site, ZL_JUDGE_AFTER, ZL_PAGE - (unsigned)(site % ZL_PAGE), false);
}

static bool read_function(uintptr_t site, struct zl_code *code)
{
	const struct zl_function *function = &code->function;

	if (!zl_function_find(site, &code->function) || function->end - site < ZL_SITE_SIZE)
		return false;
	code->is_too_long = function->end - function->begin > sizeof(code->bytes);
	if (code->is_too_long)
		return false;
	code->size = (unsigned)(function->end - function->begin);
	code->site_offset = (unsigned)(site - function->begin);
	return zl_codefd_read(code->bytes, function->begin, code->size);
}

bool zl_code_read(uintptr_t site, struct zl_code *code)
{
	int before, after;

	code->is_too_long = false;
	code->has_function = read_function(site, code);
	if (code->has_function)
		return true;
	before = read_before(code->bytes, site);
	if (before < 0)
		return false;
	after = read_after(code->bytes + before, site);
	code->site_offset = (unsigned)before;
	code->size = (unsigned)(before + after);
	return after >= ZL_SITE_SIZE;
}
