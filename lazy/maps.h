/* maps.h - what /proc/self/maps says of one address */
#ifndef ZL_LAZY_MAPS_H
#define ZL_LAZY_MAPS_H

#include "base/types.h"

struct zl_mapping {
	uintptr_t start, end;
	int protection;        /* PROT_ */
	bool is_shared;
	bool has_file;         /* a file that others can open: not memfd, not deleted */
};

/* False if the address is not mapped or /proc can't be read. context: SIGSYS, locks: zl_patch_lock. */
bool zl_maps_find(uintptr_t address, struct zl_mapping *mapping);

/* The path of the file that is mapped at an address; false if there is none, or it does not fit. @init */
bool zl_maps_path(uintptr_t address, char *path, size_t size);

#endif
