/* function.h - the function around an address, by the unwind table of the module that it lies in */
#ifndef ZL_LAZY_FUNCTION_H
#define ZL_LAZY_FUNCTION_H

#include "base/types.h"

enum { ZL_FUNCTION_ROWS = 96 };
enum zl_cfa { ZL_CFA_UNKNOWN, ZL_CFA_RSP, ZL_CFA_RBP };

/* From an instruction on, up to the next row: CFA = base + offset. The CFA is the value of rsp before the call that
 * led here, the same all over the function. */
struct zl_row {
	uint32_t at;           /* of the instruction, from the function's beginning */
	int32_t offset;
	uint8_t base;          /* enum zl_cfa */
};

struct zl_function {
	uintptr_t begin, end;
	bool has_gap;          /* its last row is that of a gap in the table, which need not belong to the function */
	unsigned rows;         /* at least 1: row[0].at == 0; ascending */
	struct zl_row row[ZL_FUNCTION_ROWS];
};

/* What glibc's _dl_find_object() (2.35) fills in: struct dl_find_object of <dlfcn.h>. */
struct zl_object {
	uint64_t flags;
	uintptr_t start, end;
	void *link_map;
	uintptr_t unwind_header;   /* .eh_frame_hdr, 0 if there is none */
	uint64_t reserved[7];
};

/* _dl_find_object(), or NULL: then no function is found. Set once at start. It takes no lock, allocates nothing, makes
 * no call and reads nothing through fs, so it may be called by any thread in any handler. */
extern int (*zl_find_object)(void *address, struct zl_object *object);

/* Find the function; for code that the table leaves out, it and the function before it. False if the address is in no
 * known module, outside of its functions, or the table is broken, or
 * of a kind that is not read; also for a signal frame, whose range begins before its code.
 * context: SIGSYS. Table and code may vanish meanwhile. */
bool zl_function_find(uintptr_t address, struct zl_function *function);

/* Whether a function of the table begins exactly there. context: as above */
bool zl_function_begins(uintptr_t address);

/* The row that holds at the offset `at`. */
const struct zl_row *zl_function_row(const struct zl_function *function, uint32_t at);

#endif
