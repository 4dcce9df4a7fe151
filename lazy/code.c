/* code.c - copies the code around a site: its function, where the unwind table knows it, else a window
 *
 * The copy is what the judge reads. Where nothing is mapped it ends.
 */
#include "base/os.h"
#include "lazy/bytes.h"
#include "lazy/codefd.h"
#include "lazy/judge.h"
#include "lazy/maps.h"
#include <linux/errno.h>
#include <linux/fcntl.h>
#include "base/poison.h"

/* Was the anonymous page ever written? If not, nothing is executed there, and to read it would have it delivered, which
 * who watches by userfaultfd must not see. */
static bool was_written(uintptr_t address)
{
	enum { PRESENT_OR_SWAPPED = 3 };   /* bits 63 and 62; Linux, Documentation/admin-guide/mm/pagemap.rst */
	long fd = zl_os_open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = ~0UL;

	if (zl_is_error(fd))
		return true;
	zl_os_read_at((int)fd, &entry, sizeof(entry), address / ZL_PAGE * sizeof(entry));
	zl_raw(__NR_close, fd);
	return entry >> 62 & PRESENT_OR_SWAPPED;
}

/* Is there anything to be read at a page beside the site's? */
static bool has_code(uintptr_t address)
{
	unsigned char is_resident = 0;
	long result = zl_raw(__NR_mincore, zl_align_down(address, ZL_PAGE), ZL_PAGE, &is_resident);

	if (result == -ENOMEM)   /* nothing is mapped there */
		return false;
	return result != 0 || is_resident & 1 || zl_maps_may_have_file(address) || was_written(address);
}

/* Copy the `wanted` bytes from `from` on, of which `own` lie in the site's page, at their beginning or at their end, or
 * else these alone. Returns how many. */
static unsigned read_beside(uint8_t *to, uintptr_t from, unsigned wanted, unsigned own, bool is_before)
{
	bool is_within = own >= wanted;

	if ((is_within || has_code(is_before ? from : from + wanted - 1)) && zl_codefd_read(to, from, wanted))
		return wanted;
	return !is_within && own && zl_codefd_read(to, is_before ? from + wanted - own : from, own) ? own : 0;
}

unsigned zl_code_read_before(uint8_t *to, uintptr_t site, unsigned wanted)
{
	return read_beside(to, site - wanted, wanted, (unsigned)(site % ZL_PAGE), true);
}

unsigned zl_code_read_after(uint8_t *to, uintptr_t site, unsigned wanted)
{
	return read_beside(to, site, wanted, ZL_PAGE - (unsigned)(site % ZL_PAGE), false);
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
	code->is_too_long = false;
	code->has_function = read_function(site, code);
	if (code->has_function)
		return true;
	code->site_offset = zl_code_read_before(code->bytes, site, ZL_JUDGE_BEFORE);
	code->size = code->site_offset;
	code->size += zl_code_read_after(code->bytes + code->site_offset, site, ZL_JUDGE_AFTER);
	return code->size >= code->site_offset + ZL_SITE_SIZE;
}
