/* operand.c - looks for ModRM bytes that name rsp or rbp with a negative displacement
 *
 * Most code has none, and then nothing needs to be decoded. A byte that is found need not be a ModRM byte, nor mean
 * rsp or rbp: with a prefix it means r12 or r13. In instructions with an EVEX prefix, 62, short
 * displacements are scaled.
 */
#include "lazy/operand.h"
#include "base/string.h"
#include "base/poison.h"

enum { LEA = 0x8d };

/* One-byte opcodes with a ModRM byte, 64 to a word. */
static const uint64_t has_mod_rm[4] = {
	0x0f0f0f0f0f0f0f0f, /* 00-3f: the first four of every eight */
	0x00000a0800000000, /* 63 69 6b */
	0x000000000000ffff, /* 80-8f */
	0xc0c00000ff0f00c3, /* c0 c1 c6 c7, d0-d3, d8-df, f6 f7, fe ff */
};

/* Whether the byte at `at` may be a ModRM byte: whether an opcode that has one, or an escape, stands before it. */
static bool may_be_mod_rm(const uint8_t *bytes, unsigned at)
{
	const uint8_t *p = bytes + at;

	if (at < 5 || has_mod_rm[p[-1] >> 6] >> (p[-1] & 63) & 1)
		return true;
	return p[-2] == 0x0f || p[-3] == 0x0f || p[-3] == 0xc5 || p[-4] == 0xc4 || p[-4] == 0x8f || p[-5] == 0x62;
}

/* Read the rest of an operand whose ModRM byte, if it is one, is p[0], of `left` bytes. */
static bool read_operand(const uint8_t *p, unsigned left, struct zl_operand *operand)
{
	unsigned has_sib = (p[0] & 7) == 4, disp = 1 + has_sib;

	if (has_sib && (left < 2 || ((p[1] & 7) != 4 && (p[1] & 7) != 5)))
		return false;
	operand->by_rbp = !has_sib || (p[1] & 7) == 5;
	if ((p[0] & 0xc0) == 0x40) {
		operand->displacement = left > disp ? (int8_t)p[disp] : 0;
	} else {
		operand->displacement = 0;
		if (left > disp + 3)
			memcpy(&operand->displacement, p + disp, sizeof(operand->displacement));
	}
	return operand->displacement < 0;
}

bool zl_operand_find(const struct zl_code *code, unsigned from, unsigned to, struct zl_operand *operand)
{
	for (unsigned at = from; at < to; at++) {
		const uint8_t *p = code->bytes + at;
		unsigned mod = p[0] >> 6;

		if ((p[0] & 6) != 4 || (mod != 1 && mod != 2))
			continue;
		operand->at = at;
		operand->is_address = at == 0 || p[-1] == LEA;
		operand->is_scaled = mod == 1 && (at < 5 || p[-5] == 0x62);
		if (read_operand(p, code->size - at, operand) && may_be_mod_rm(code->bytes, at))
			return true;
	}
	return false;
}
