/* function.c - finds the function around an address in .eh_frame_hdr and .eh_frame
 *
 * .eh_frame_hdr ends in a table of pairs, sorted: where a function begins, where its FDE is. The FDE, with the CIE that
 * it refers to, tells the function's end and holds a small program that, run to its end, tells for each instruction
 * where the CFA is. (System V ABI, Linux Standard Base, DWARF 5 section 6.4.)
 *
 * Two things follow. Where the program advances to, an instruction begins: compilers and assemblers place directives
 * between instructions only. And two addresses that the code gives relative to rsp, at two instructions, can be
 * compared without a look at the code between.
 *
 * Some code has no FDE, or loses it before it ends (glibc's clone3, whose child has no caller). When it lies in a small
 * gap between two functions, the function before it and the gap together are taken for one function, and nothing is
 * known of the CFA in the gap.
 *
 * Tables are data of the program and may be broken, or vanish: everything is copied by zl_copy_in(), nothing is
 * followed but lengths that fit, and what does not fit means "not found", or "unknown" from that row on. Only the
 * encodings that linkers and compilers make are read: a table of 32-bit offsets, ranges absolute or relative.
 */
#include "lazy/function.h"
#include "base/copy.h"
#include "lazy/cfi.h"
#include "base/poison.h"

enum { MOST_FDES = 1 << 24, MOST_SIZE = 1 << 28, RECORD = 512, MOST_GAP = 64 };
enum { VERSION = 1, UDATA4 = 0x03, SDATA4 = 0x0b, TABLE = 0x3b, ABSOLUTE = 0, FORMAT = 0x0f, RELATIVE = 0x10 };

int (*zl_find_object)(void *address, struct zl_object *object);

/* A CIE or FDE: its bytes behind the length. */
struct record {
	uintptr_t address;         /* of bytes[0] */
	unsigned size;             /* of what was copied */
	bool is_cut;               /* it is longer than that */
	uint8_t bytes[RECORD];
};

/* What a CIE says of its FDEs. */
struct common {
	uint8_t encoding;          /* of their addresses */
	bool is_signal;
	uint64_t code_unit;
	struct zl_cfi_reader program;
};

/* Bytes of an encoded address, 0 if of an unknown kind. */
static unsigned size_of(uint8_t encoding)
{
	switch (encoding & FORMAT) {
	case 0x00: case 0x04: case 0x0c:
		return 8;
	case UDATA4: case SDATA4:
		return 4;
	case 0x02: case 0x0a:
		return 2;
	default:
		return 0;
	}
}

/* An address, `base` being that of record->bytes. */
static uint64_t get_address(struct zl_cfi_reader *r, uint8_t encoding, const struct record *record)
{
	uintptr_t here = record->address + (size_t)(r->at - record->bytes);
	uint64_t value = zl_cfi_get(r, size_of(encoding));

	if ((encoding & FORMAT) == SDATA4)
		value = (uint64_t)(int32_t)value;
	return (encoding & ~FORMAT) == RELATIVE ? value + here : value;
}

static bool read_record(uintptr_t address, struct record *record)
{
	uint32_t length;

	if (!zl_copy_in(&length, address, sizeof(length)) || length < 8 || length > MOST_SIZE)
		return false;
	record->address = address + sizeof(length);
	record->is_cut = length > RECORD;
	record->size = record->is_cut ? RECORD : length;
	return zl_copy_in(record->bytes, record->address, record->size);
}

static struct zl_cfi_reader read_from(const struct record *record)
{
	return (struct zl_cfi_reader){ .at = record->bytes, .end = record->bytes + record->size };
}

/* One letter of the augmentation, whose data the reader is at. */
static bool read_augmentation(struct zl_cfi_reader *r, char letter, struct common *common)
{
	uint8_t encoding;

	switch (letter) {
	case 'R':
		common->encoding = (uint8_t)zl_cfi_get(r, 1);
		return true;
	case 'L':
		zl_cfi_skip(r, 1);
		return true;
	case 'P':
		encoding = (uint8_t)zl_cfi_get(r, 1);
		zl_cfi_skip(r, size_of(encoding));
		return size_of(encoding) != 0;
	case 'S':
		common->is_signal = true;
		return true;
	default:
		return false;
	}
}

/* pre: record is the CIE; stays while common is used */
static bool read_common(const struct record *record, struct common *common)
{
	struct zl_cfi_reader r = read_from(record), data;
	uint32_t id = (uint32_t)zl_cfi_get(&r, 4);
	uint8_t version = (uint8_t)zl_cfi_get(&r, 1);
	const char *letter = (const char *)r.at;
	uint64_t size;

	if (id != 0 || (version != 1 && version != 3) || record->is_cut)
		return false;
	while (zl_cfi_get(&r, 1) != 0)
		;
	*common = (struct common){ .encoding = ABSOLUTE };
	common->code_unit = zl_cfi_unsigned(&r);
	(void)zl_cfi_signed(&r);
	if (version == 1)
		zl_cfi_skip(&r, 1);
	else
		(void)zl_cfi_unsigned(&r);
	if (r.is_over || (*letter && *letter++ != 'z'))
		return false;
	size = letter[-1] == 'z' ? zl_cfi_unsigned(&r) : 0;
	data = r;
	zl_cfi_skip(&r, size);
	for (; !r.is_over && *letter; letter++)
		if (!read_augmentation(&data, *letter, common))
			return false;
	common->program = r;
	return !r.is_over && data.at <= r.at && size_of(common->encoding) >= 4 &&
	       ((common->encoding & ~FORMAT) == ABSOLUTE || (common->encoding & ~FORMAT) == RELATIVE);
}

/* The function whose FDE this is. */
static bool read_function(uintptr_t fde, struct zl_function *function)
{
	struct record record, cie;
	struct common common;
	struct zl_cfi_reader r;
	uint32_t back;
	uint64_t size;

	if (!read_record(fde, &record))
		return false;
	r = read_from(&record);
	back = (uint32_t)zl_cfi_get(&r, 4);
	if (back == 0 || back > MOST_SIZE || !read_record(record.address - back, &cie) || !read_common(&cie, &common))
		return false;
	function->begin = get_address(&r, common.encoding, &record);
	size = zl_cfi_get(&r, size_of(common.encoding));
	function->end = function->begin + size;
	if (size == 0 || size > MOST_SIZE || common.is_signal)
		return false;
	if (cie.bytes[5] == 'z')
		zl_cfi_skip(&r, zl_cfi_unsigned(&r));
	if (r.is_over)
		return false;
	zl_cfi_run(function, common.code_unit, &common.program, &r, record.is_cut);
	return true;
}

/* What the table says of an address: the last function that begins at or before it, where the one after that begins,
 * or 0. */
struct place { uintptr_t begin, fde, next; };

/* False if there is no such function. */
static bool find_place(uintptr_t header, uintptr_t address, struct place *place)
{
	struct { int32_t begin, fde; } entry;
	struct { uint8_t version, frame, count, table; } encoding;
	uint32_t count, low = 0;
	uintptr_t table = header + sizeof(encoding);

	*place = (struct place){ 0 };
	if (!zl_copy_in(&encoding, header, sizeof(encoding)) || encoding.version != VERSION ||
	    encoding.count != UDATA4 || encoding.table != TABLE || size_of(encoding.frame) == 0)
		return false;
	table += size_of(encoding.frame);
	if (!zl_copy_in(&count, table, sizeof(count)) || count > MOST_FDES)
		return false;
	table += sizeof(count);
	for (uint32_t high = count; low < high;) {
		uint32_t middle = low + (high - low) / 2;

		if (!zl_copy_in(&entry, table + (uintptr_t)middle * sizeof(entry), sizeof(entry)))
			return false;
		if (header + (uintptr_t)(intptr_t)entry.begin > address) {
			place->next = header + (uintptr_t)(intptr_t)entry.begin;
			high = middle;
		} else {
			place->begin = header + (uintptr_t)(intptr_t)entry.begin;
			place->fde = header + (uintptr_t)(intptr_t)entry.fde;
			low = middle + 1;
		}
	}
	return place->fde != 0;
}

/* Add the code behind the function, up to the next one, of which the table says nothing. */
static bool add_gap(struct zl_function *function, uintptr_t next)
{
	uint32_t size = (uint32_t)(function->end - function->begin);

	if (next <= function->end || next - function->end > MOST_GAP || function->rows == ZL_FUNCTION_ROWS)
		return false;
	function->row[function->rows++] = (struct zl_row){ .at = size, .base = ZL_CFA_UNKNOWN };
	function->end = next;
	function->has_gap = true;
	return true;
}

static bool find_object(uintptr_t address, struct zl_object *object)
{
	uint8_t byte;

	/* a program may have unmapped ld.so */
	return zl_find_object && zl_copy_in(&byte, (uintptr_t)zl_find_object, sizeof(byte)) &&
	       zl_find_object((void *)address, object) == 0 && object->unwind_header != 0;
}

bool zl_function_begins(uintptr_t address)
{
	struct zl_object object;
	struct place place;

	return find_object(address, &object) && find_place(object.unwind_header, address, &place) && place.begin == address;
}

bool zl_function_find(uintptr_t address, struct zl_function *function)
{
	struct zl_object object;
	struct place place;

	function->has_gap = false;
	if (!find_object(address, &object) || !find_place(object.unwind_header, address, &place) ||
	    !read_function(place.fde, function) || function->begin != place.begin)
		return false;
	if (address >= function->end && !add_gap(function, place.next))
		return false;
	return address < function->end && function->begin >= object.start && function->end <= object.end;
}

const struct zl_row *zl_function_row(const struct zl_function *function, uint32_t at)
{
	unsigned low = 0, high = function->rows;

	while (high - low > 1) {
		unsigned middle = low + (high - low) / 2;

		if (function->row[middle].at <= at)
			low = middle;
		else
			high = middle;
	}
	return &function->row[low];
}
