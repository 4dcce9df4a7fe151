/* layout.h - an ELF file as it lies in memory, and its instructions one after the other, for tests on real code */
#ifndef LAYOUT_H
#define LAYOUT_H

#include "lazy/decoder.h"
#include "lazy/function.h"
#include <stddef.h>

struct layout {
	const char *path;
	const uint8_t *data, *base;        /* the file; where its address 0 would be */
	size_t size;
	uint64_t low, high;                /* its addresses */
	struct zl_object object;
	uint64_t *starts;                  /* of functions, by the unwind table, ascending */
	size_t start_count;
};

/* Lay out the segments of layout->path, and have zl_find_object find their functions. False if it can't be read. */
bool layout_read(struct layout *layout);
/* As if there were no unwind table. */
extern bool layout_has_no_table;

/* Call visit() for each address where an instruction begins by linear disassembly of the executable segments, begun
 * anew at every function that the unwind table knows; insn->length is 0 for a byte that begins none. */
void layout_walk(const struct layout *layout, const struct zl_decoder *decoder,
                 void (*visit)(void *data, uint64_t address, const struct zl_insn *insn), void *data);

#endif
