/* poke.h - writes into the program's code, and what orders them for who runs it */
#ifndef ZL_LAZY_POKE_H
#define ZL_LAZY_POKE_H

#include "lazy/maps.h"
#include <stdatomic.h>

/* More than one thread runs in this address space, or ever did since the last fork. Set by threads/ before the
 * first clone, when SIGILL has got the agent's handler. */
extern _Atomic bool zl_is_threaded;

/* acquire; pairs with the store in threads/ */
static inline bool zl_poke_is_raced(void)
{
	return atomic_load_explicit(&zl_is_threaded, memory_order_acquire);
}

/* Beginnings and ends of changes of sites' bytes: odd while one is under way. */
extern _Atomic uint64_t zl_poke_changes;
/* locks: zl_patch_lock */
void zl_poke_begin(void);
void zl_poke_end(void);
/* Between them: the descriptor of /proc/self/mem, -1 if there is none. */
int zl_poke_descriptor(void);

/* Register the barrier. @init */
void zl_poke_start(void);
/* Every thread has fetched its instructions anew. 0 or -errno. */
long zl_poke_barrier(void);

/* Open the page of `address` for writing, whose mapping this is, and give it back what it had. */
bool zl_poke_open(uintptr_t address, const struct zl_mapping *mapping);
void zl_poke_close(uintptr_t address, const struct zl_mapping *mapping);

/* Write where the program can't: by /proc/self/mem, or else by opening the pages for the moment. Not one store: a byte
 * alone is. -errno: any of the bytes may have been written. pre: zl_poke_begin() */
enum zl_poked { ZL_POKED, ZL_POKED_OPENED };
long zl_poke(uintptr_t to, const uint8_t *bytes, size_t size);

#endif
