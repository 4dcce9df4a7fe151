/* maps.h - what the kernel says of the mapping at one address */
#ifndef ZL_LAZY_MAPS_H
#define ZL_LAZY_MAPS_H

#include "base/types.h"

enum { ZL_MAPS_QUERY = (int)0xc0686611 };   /* PROCMAP_QUERY, which headers of older kernels lack */

struct zl_mapping {
	uintptr_t start, end;
	uint64_t offset;       /* of `start` in the file, 0 if there is none */
	int protection;        /* PROT_ */
	bool is_shared;        /* MAP_SHARED of anything: file, memfd, /dev/zero, System V segment */
	bool has_file;         /* of any kind, a memfd or a System V segment, too */
	bool is_view;          /* MAP_PRIVATE of a memfd, which shows what is written to that until its page is written itself */
};

/* 0; -ENOENT if nothing is mapped there; another -errno if the kernel doesn't tell.
 * Takes a descriptor for a moment, the lowest that is free. context: SIGSYS, locks: zl_patch_lock. */
long zl_maps_find(uintptr_t address, struct zl_mapping *mapping);

/* Has the mapping at an address a file, or may it have one? Needs no lock; takes a descriptor for a moment. */
bool zl_maps_may_have_file(uintptr_t address);

/* Learn what a memfd looks like. @init */
void zl_maps_start(void);

/* Has zl_maps_find() told that the memory at an address is private and no view, so that it still is? locks:
 * zl_patch_lock */
bool zl_maps_is_known_private(uintptr_t address);
/* [start, end) may be shared, or a view, from now on. locks: zl_patch_lock */
void zl_maps_forget(uintptr_t start, uintptr_t end);
/* The same, and the name that the kernel has for the mapping: a path, perhaps with " (deleted)", or "[vdso]" and the
 * like; empty if it has none. One that does not fit is cut to "..." and its end. */
long zl_maps_name(uintptr_t address, struct zl_mapping *mapping, char *name, size_t size);

/* Call function(mapping, data) for each mapping, until it returns false. 0 or -errno. Takes a descriptor as above, and
 * 9 KiB of stack. */
long zl_maps_each(bool (*function)(const struct zl_mapping *mapping, void *data), void *data);

/* The path of the file that is mapped at an address; false if there is none, or it does not fit.
 * context: start-up, or SIGSYS under zl_patch_lock */
bool zl_maps_path(uintptr_t address, char *path, size_t size);

#endif
