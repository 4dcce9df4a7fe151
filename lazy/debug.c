/* debug.c - see debug.h. A site in a mapped file is shown as an offset from where that file's mappings begin, as
 * objdump has it for a shared object. */
#include "lazy/debug.h"
#include "base/print.h"
#include "base/string.h"
#include "lazy/maps.h"
#include "base/poison.h"

static void put_place(struct zl_line *line, uintptr_t site)
{
	static char path[4096], before[4096];   /* under the patch lock */
	struct zl_mapping mapping;
	uintptr_t base;

	if (!zl_maps_path(site, path, sizeof(path)) || zl_maps_find(site, &mapping) != 0) {
		zl_put_hex(line, site);
		return;
	}
	do
		base = mapping.start;
	while (zl_maps_path(base - 1, before, sizeof(before)) && zl_equal(path, before) && zl_maps_find(base - 1, &mapping) == 0);
	zl_put(line, path);
	zl_put(line, "+");
	zl_put_hex(line, site - base);
}

void zl_debug_refused(uintptr_t site, uint64_t number, const char *why)
{
	struct zl_line line = { 0 };

	if (!zl_begin_debug(&line, 2))
		return;
	zl_put(&line, "refused: ");
	put_place(&line, site);
	zl_put(&line, ", call ");
	zl_put_decimal(&line, (long)(uint32_t)number);
	zl_put(&line, ": ");
	zl_put(&line, why);
	zl_notice(&line);
}

void zl_debug_rewritten(uintptr_t site, const char *how, bool by_mprotect)
{
	struct zl_line line = { 0 };

	if (!zl_begin_debug(&line, 3))
		return;
	zl_put(&line, "rewritten: ");
	put_place(&line, site);
	zl_put(&line, ", ");
	zl_put(&line, how);
	zl_put(&line, by_mprotect ? ", mprotect" : ", /proc/self/mem");
	zl_notice(&line);
}
