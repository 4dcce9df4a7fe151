/* cfi.c - runs the programs of unwind tables (DWARF 5, section 6.4.2)
 *
 * Of all that they tell only the CFA is kept, and where instructions begin. Programs may be broken: see function.c.
 */
#include "lazy/cfi.h"
#include "base/string.h"
#include "base/poison.h"

enum { MOST_SIZE = 1 << 28, MOST_UNIT = 16, MOST_REMEMBERED = 8, MOST_LEB = 5 };
enum { RBP = 6, RSP = 7 };

/* The program's state, and where its rows go. */
struct machine {
	struct zl_function *function;
	uint64_t code_unit;
	struct zl_row row, remembered[MOST_REMEMBERED];
	unsigned depth;
};

uint64_t zl_cfi_get(struct zl_cfi_reader *r, unsigned size)
{
	uint64_t value = 0;

	if ((size_t)(r->end - r->at) < size) {
		r->is_over = true;
		r->at = r->end;
		return 0;
	}
	for (unsigned shift = 0; shift < size * 8; shift += 8)
		value |= (uint64_t)*r->at++ << shift;
	return value;
}

void zl_cfi_skip(struct zl_cfi_reader *r, uint64_t size)
{
	if ((uint64_t)(r->end - r->at) < size)
		r->is_over = true;
	r->at = r->is_over ? r->end : r->at + size;
}

/* No number that counts here has more than 32 bits. */
static int64_t get_leb(struct zl_cfi_reader *r, bool is_signed)
{
	uint64_t value = 0, byte = 0x80;
	unsigned shift = 0;

	for (; byte & 0x80 && !r->is_over; shift += 7) {
		byte = zl_cfi_get(r, 1);
		if (shift < 7 * MOST_LEB)
			value |= (byte & 0x7f) << shift;
		else
			r->is_over = r->is_over || (byte & 0x7f) != 0;
	}
	if (is_signed && byte & 0x40 && shift < 64)
		value |= ~0ull << shift;
	return (int64_t)value;
}

uint64_t zl_cfi_unsigned(struct zl_cfi_reader *r)
{
	return (uint64_t)get_leb(r, false);
}

int64_t zl_cfi_signed(struct zl_cfi_reader *r)
{
	return get_leb(r, true);
}

/* From here on nothing is known. */
static void forget(struct machine *m)
{
	m->row.base = ZL_CFA_UNKNOWN;
}

static void set_cfa(struct machine *m, uint64_t number)
{
	m->row.base = number == RSP ? ZL_CFA_RSP : number == RBP ? ZL_CFA_RBP : ZL_CFA_UNKNOWN;
}

static void set_offset(struct machine *m, uint64_t offset)
{
	m->row.offset = (int32_t)offset;
	if (offset > MOST_SIZE)
		forget(m);
}

/* Close the row, and begin the next one. Returns false at the function's end, or if there are too many. */
static bool advance(struct machine *m, uint64_t units)
{
	struct zl_function *f = m->function;
	uint64_t to = m->row.at + units * m->code_unit;

	if (units == 0)
		return true;
	if (units > MOST_SIZE || m->code_unit > MOST_UNIT || to == m->row.at || to >= f->end - f->begin)
		return false;
	f->row[f->rows++] = m->row;
	m->row.at = (uint32_t)to;
	return f->rows < ZL_FUNCTION_ROWS;
}

/* The instructions with an opcode of their own. Returns false for one that is not known. */
static bool run_extended(struct machine *m, struct zl_cfi_reader *r, uint8_t opcode)
{
	switch (opcode) {
	case 0x00:                                     /* nop */
		return true;
	case 0x02: case 0x03: case 0x04:               /* advance_loc1, 2, 4 */
		return advance(m, zl_cfi_get(r, 1u << (opcode - 2)));
	case 0x06: case 0x07: case 0x08: case 0x2e:    /* restore, undefined, same_value; GNU args_size */
		(void)zl_cfi_unsigned(r);
		return true;
	case 0x05: case 0x09: case 0x11: case 0x14: case 0x15: case 0x2f:   /* offset, register, val_offset */
		(void)zl_cfi_unsigned(r);
		(void)zl_cfi_unsigned(r);
		return true;
	case 0x0a:                                     /* remember_state */
		if (m->depth == MOST_REMEMBERED)
			return false;
		m->remembered[m->depth++] = m->row;
		return true;
	case 0x0b:                                     /* restore_state */
		if (m->depth == 0)
			return false;
		m->remembered[--m->depth].at = m->row.at;
		m->row = m->remembered[m->depth];
		return true;
	case 0x0c:                                     /* def_cfa */
		set_cfa(m, zl_cfi_unsigned(r));
		set_offset(m, zl_cfi_unsigned(r));
		return true;
	case 0x0d:                                     /* def_cfa_register */
		set_cfa(m, zl_cfi_unsigned(r));
		return true;
	case 0x0e:                                     /* def_cfa_offset */
		set_offset(m, zl_cfi_unsigned(r));
		return true;
	case 0x0f:                                     /* def_cfa_expression */
		zl_cfi_skip(r, zl_cfi_unsigned(r));
		forget(m);
		return true;
	case 0x10: case 0x16:                          /* expression, val_expression */
		(void)zl_cfi_unsigned(r);
		zl_cfi_skip(r, zl_cfi_unsigned(r));
		return true;
	default:
		return false;
	}
}

/* Run a program as far as it goes. Returns false if it is not understood to its end. */
static bool run(struct machine *m, struct zl_cfi_reader *r)
{
	while (r->at < r->end) {
		uint8_t opcode = (uint8_t)zl_cfi_get(r, 1);
		bool is_known = true;

		if (opcode >> 6 == 1)                  /* advance_loc */
			is_known = advance(m, opcode & 0x3f);
		else if (opcode >> 6 == 2)             /* offset */
			(void)zl_cfi_unsigned(r);
		else if (opcode >> 6 == 0)             /* 3: restore */
			is_known = run_extended(m, r, opcode);
		if (!is_known || r->is_over)
			return false;
	}
	return true;
}

void zl_cfi_run(struct zl_function *function, uint64_t code_unit, struct zl_cfi_reader *common,
		struct zl_cfi_reader *own, bool is_cut)
{
	struct machine m = { .function = function, .code_unit = code_unit };

	function->rows = 0;
	if (!run(&m, common) || !run(&m, own) || is_cut)
		forget(&m);
	if (function->rows == ZL_FUNCTION_ROWS)
		function->row[function->rows - 1].base = ZL_CFA_UNKNOWN;   /* it now holds up to the end */
	else
		function->row[function->rows++] = m.row;
}
