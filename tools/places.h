/* places.h - where a refused site is, in words */
#ifndef ZL_TOOLS_PLACES_H
#define ZL_TOOLS_PLACES_H

#include "base/shared.h"

enum { ZL_PLACE_SIZE = 512 };

/* "libc.so.6!fcntl+0x1c" where the file is still there, holds the bytes of the site and has a symbol for it; else
 * "/path/file+0x1234", the offset in the file; else what kind of memory it is. */
void zl_place_of(const struct zl_refused_site *site, char text[ZL_PLACE_SIZE]);

#endif
