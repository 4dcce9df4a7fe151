/* holes.h - addresses where a program has nothing mapped: page zero, what it has just unmapped, and, under the agent,
 * all that is recognisably the agent's memory: its library, the sled's second mapping, the slots of threads. Calls about
 * any of them get the same answers. */
#ifndef GUEST_HOLES_H
#define GUEST_HOLES_H

#include "code.h"
#include "maps.h"

struct hole { uintptr_t start, end; };

enum { HOLES = 64, HOLE_OWN = 1 };   /* holes[0] is page zero, holes[1] the program's own */
static struct hole holes[HOLES];
static int hole_count;

GUEST_UNUSED static void add_hole(uintptr_t start, uintptr_t end)
{
	if (hole_count < HOLES)
		holes[hole_count++] = (struct hole){ start, end };
}

/* Writable, and yet the kernel can't read it. */
static bool is_guard(uintptr_t page)
{
	return access((const char *)page, F_OK) != 0 && errno == EFAULT;
}

GUEST_UNUSED static void find_holes(void)
{
	static struct maps maps;
	int libraries = 0, slots = 0;
	unsigned char *own = map_pages(16, PROT_NONE);
	CHECK(munmap(own + CODE_PAGE, 14 * CODE_PAGE) == 0);   /* two pages stay at its ends */
	add_hole(0, CODE_PAGE);
	add_hole((uintptr_t)own + CODE_PAGE, (uintptr_t)own + 15 * CODE_PAGE);
	read_maps(&maps);
	for (char *line = maps.text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		unsigned long start, stop;
		char protection[8], path[256] = "";
		*end = 0;
		CHECK(sscanf(line, "%lx-%lx %7s %*s %*s %*s %255s", &start, &stop, protection, path) >= 3);
		if (strstr(path, "libzlazy.so")) {
			add_hole(start, stop);
			libraries++;
		} else if (start >= 0x3e3e0000 && stop < 0x65670000 && !*path && start % 0x1000000 > 0x3e0000) {
			add_hole(start, stop);
		} else if (start % 0x40000 == 0 && stop - start == 0x1000 && !strcmp(protection, "---p") &&
			   end[1] && strtoul(strchr(end + 1, '-') + 1, NULL, 16) == start + 0x8000) {
			add_hole(start, start + 0x40000);
			slots++;
		} else if (start % 0x40000 == 0 && stop - start >= 0x40000 && !*path && !strcmp(protection, "rw-p") &&
			   is_guard(start)) {
			stop -= stop % 0x40000;
			add_hole(start, stop);
			slots++;
		}
	}
	char *preload = getenv("LD_PRELOAD");
	if (preload && strstr(preload, "libzlazy"))
		CHECK(libraries > 0 && slots > 0);
}

#endif
