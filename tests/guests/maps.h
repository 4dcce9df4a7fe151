/* maps.h - snapshots of /proc/self/maps, without memory from the heap */
#ifndef GUEST_MAPS_H
#define GUEST_MAPS_H

#include "guest.h"

struct maps { size_t length; char text[1 << 17]; };

GUEST_UNUSED static void read_maps(struct maps *maps)
{
	int fd = open("/proc/self/maps", O_RDONLY);
	CHECK(fd >= 0);
	ssize_t got;
	maps->length = 0;
	while ((got = read(fd, maps->text + maps->length, sizeof(maps->text) - 1 - maps->length)) > 0)
		maps->length += (size_t)got;
	CHECK(got == 0);
	maps->text[maps->length] = 0;
	close(fd);
}

/* Fail with the first line that differs. */
GUEST_UNUSED static void check_same_maps(const struct maps *before, const struct maps *after)
{
	size_t i = 0, line = 0;
	while (before->text[i] && before->text[i] == after->text[i])
		if (before->text[i++] == '\n')
			line = i;
	if (before->length != after->length || before->text[i])
		FAIL("maps differ:\n- %.*s\n+ %.*s", (int)strcspn(before->text + line, "\n"), before->text + line,
			(int)strcspn(after->text + line, "\n"), after->text + line);
}

#endif
