/* listing.h - what objdump says of a file's code, to compare with */
#ifndef LISTING_H
#define LISTING_H

#include <stdbool.h>
#include <stdint.h>

enum listed { LISTED_NOTHING, LISTED_INSN, LISTED_MOV, LISTED_SYSCALL, LISTED_PADDING, LISTED_TRANSFER };

/* By address: what begins there, how long it is, and whether a direct branch leads there. */
struct listing {
	uint64_t size;
	uint8_t *what, *length;
	bool *is_target;
};

/* False if there is no such file, or no objdump. */
bool listing_read(struct listing *listing, const char *path, uint64_t size);
void listing_free(struct listing *listing);

/* Whether [address, address + size) is part of nops and int3 behind a ret or jmp, and no branch leads into these. */
bool listing_is_cave(const struct listing *listing, uint64_t address, unsigned size);

#endif
