/* cfi.h - runs the programs of unwind tables, and reads their numbers */
#ifndef ZL_LAZY_CFI_H
#define ZL_LAZY_CFI_H

#include "lazy/function.h"

/* A part of a record, with bounds. After the first read beyond its end all reads are 0. */
struct zl_cfi_reader {
	const uint8_t *at, *end;
	bool is_over;
};

uint64_t zl_cfi_get(struct zl_cfi_reader *r, unsigned size);
void zl_cfi_skip(struct zl_cfi_reader *r, uint64_t size);
/* An unsigned or signed LEB128 number. */
uint64_t zl_cfi_unsigned(struct zl_cfi_reader *r);
int64_t zl_cfi_signed(struct zl_cfi_reader *r);

/* Run the CIE's program, then the FDE's, and fill in the function's rows. From where a program is not understood, or
 * ends too early (is_cut), the CFA is unknown.
 * pre: function->begin and end are set, and less than 2^32 apart */
void zl_cfi_run(struct zl_function *function, uint64_t code_unit, struct zl_cfi_reader *common,
		struct zl_cfi_reader *own, bool is_cut);

#endif
