/* reading.c - decodes with a memory and a limit
 *
 * The judge looks at the same instructions more than once: to find out where they begin, then what they do. The second
 * look is free, and so is padding, of which there may be much. The table of offsets is twice as large as the limit,
 * so a search ends soon.
 */
#include "lazy/reading.h"
#include "base/string.h"
#include "base/poison.h"

enum { INT3 = 0xcc, NOP = 0x90 };

static const struct zl_insn int3 = { .length = 1, .flow = ZL_FLOW_END, .is_padding = true };
static const struct zl_insn nop = { .length = 1, .flow = ZL_FLOW_NEXT, .is_padding = true };

static_assert(ZL_JUDGE_SIZE <= UINT16_MAX, "offsets");

void zl_reading_begin(struct zl_reading *reading, const struct zl_code *code)
{
	zl_reading_begin_bytes(reading, code->bytes, code->size);
	reading->code = code;
}

void zl_reading_begin_bytes(struct zl_reading *reading, const uint8_t *bytes, unsigned size)
{
	reading->code = NULL;
	reading->bytes = bytes;
	reading->size = size;
	reading->decoded = 0;
	reading->near = ZL_READING_NEAR;
	memset(reading->slot, 0, sizeof(reading->slot));
}

const struct zl_insn *zl_read(struct zl_reading *reading, unsigned at)
{
	unsigned slot = at % ZL_READING_SLOTS, i;
	struct zl_insn *insn;

	if (at < reading->size && (reading->bytes[at] == INT3 || reading->bytes[at] == NOP))
		return reading->bytes[at] == NOP ? &nop : &int3;
	for (; (i = reading->slot[slot]) != 0; slot = (slot + 1) % ZL_READING_SLOTS)
		if (reading->at[i - 1] == at)
			return &reading->insn[i - 1];
	if (reading->decoded == ZL_MOST_DECODED || at >= reading->size)
		return NULL;
	insn = &reading->insn[reading->decoded];
	if (zl_decoder->decode(reading->bytes + at, reading->size - at, insn) == 0)
		*insn = (struct zl_insn){ .length = 0 };
	reading->at[reading->decoded++] = (uint16_t)at;
	reading->slot[slot] = (uint8_t)reading->decoded;
	return insn;
}
