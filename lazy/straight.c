/* straight.c - the mov before a site
 *
 * `b8 imm32` is mov $imm32,%eax and `48 c7 c0 imm32` mov $imm32,%rax, but the same bytes are also the end of others:
 * with a prefix in front they move to another register (41 b8), take 64 bits (48 b8) or 16 (66 b8), or mean the same
 * in six bytes (40 b8); b8 is a ModRM or SIB byte before a displacement (10 b8, 8b 84 b8), or both lie in an
 * immediate. A jump written there would change the other instruction. So the mov's first byte has to be proven a
 * beginning, by what lies before it (fates.h): the mov's own bytes say nothing of that.
 *
 *   with a function:  decoding from the row of the unwind table that is nearest before the mov arrives at it. Where
 *                     that is too far, or meets what is no instruction, as without.
 *   without:          the offsets before the mov agree. What is only likely, as memory begins there, is too little.
 *
 * Then a thread that comes from before the mov executes it and the site, in this order. Two more things have to fit:
 * the number in rax is the mov's, which it would hardly be had the site been reached by another way; and nothing that
 * was decoded, and no row, is inside the mov. Not seen: a jump from afar into the middle of the mov; but a number that
 * reads as a system call stays what it is.
 */
#include "lazy/straight.h"
#include "lazy/bytes.h"
#include "lazy/fates.h"
#include <asm/unistd.h>
#include "base/poison.h"

enum { LONG_SIZE = 7 };

/* The length of what looks like a mov of the number right before the site. */
static unsigned find_mov(const struct zl_code *code, uint64_t number)
{
	const uint8_t *site = code->bytes + code->site_offset;
	uint32_t value;

	if (code->site_offset < ZL_MOV_SIZE)
		return 0;
	value = site[-4] | site[-3] << 8 | site[-2] << 16 | (uint32_t)site[-1] << 24;
	if (site[-5] == ZL_MOV_EAX)
		return number == value ? ZL_MOV_SIZE : 0;
	if (code->site_offset < LONG_SIZE || site[-7] != 0x48 || site[-6] != 0xc7 || site[-5] != 0xc0)
		return 0;
	return number == (uint64_t)(int64_t)(int32_t)value ? LONG_SIZE : 0;
}

/* Whether the mov's number is a system call of its own for who jumps into it: `0f 05`, or `cd 80`. */
static bool has_call(const uint8_t *number)
{
	for (int i = 0; i < 3; i++)
		if ((number[i] == ZL_OLD_FIRST && number[i + 1] == ZL_OLD_SECOND) || (number[i] == 0xcd && number[i + 1] == 0x80))
			return true;
	return false;
}

static bool begins(struct zl_reading *reading, unsigned start)
{
	const struct zl_code *code = reading->code;

	if (!code->has_function)
		return zl_fates_behind(reading, start, 0) == ZL_FATES_AGREE;
	if (zl_function_row(&code->function, code->site_offset - 1)->at > start)
		return false;
	switch (zl_fates_from(reading, zl_function_row(&code->function, start)->at, start)) {
	case ZL_FATE_HITS:
		return true;
	case ZL_FATE_UNKNOWN:
		return zl_fates_behind(reading, start, 0) == ZL_FATES_AGREE;
	default:
		return false;
	}
}

/* Whether a branch that was decoded leads between start and end, both excluded. */
static bool has_branch_into(const struct zl_reading *reading, unsigned start, unsigned end)
{
	for (unsigned i = 0; i < reading->decoded; i++) {
		const struct zl_insn *insn = &reading->insn[i];
		int64_t target = (int64_t)reading->at[i] + insn->target;

		if ((insn->flow == ZL_FLOW_BRANCH || insn->flow == ZL_FLOW_JUMP) && target > start && target < end)
			return true;
	}
	return false;
}

unsigned zl_straight_mov(struct zl_reading *reading, uint64_t number)
{
	const struct zl_code *code = reading->code;
	unsigned length, start;

	if (code->is_too_long || number == __NR_rt_sigreturn)
		return 0;
	length = find_mov(code, number);
	start = code->site_offset - length;
	if (length == 0 || has_call(code->bytes + code->site_offset - 4) || !begins(reading, start) ||
	    has_branch_into(reading, start, code->site_offset))
		return 0;
	return length;
}
