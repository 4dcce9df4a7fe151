/* reading.h - the instructions around a site, each decoded once, ZL_MOST_DECODED of them at most
 *
 * One struct for one judgement: whatever the handler asks the decoder goes through zl_read(), so that the time of a
 * first call is bounded.
 */
#ifndef ZL_LAZY_READING_H
#define ZL_LAZY_READING_H

#include "lazy/decoder.h"
#include "lazy/judge.h"

enum { ZL_MOST_DECODED = 64, ZL_READING_SLOTS = 128, ZL_READING_NEAR = 160, ZL_READING_FAR = 256 };

struct zl_reading {
	const struct zl_code *code;       /* NULL for bytes that are no judgement's */
	const uint8_t *bytes;
	unsigned size, decoded;
	unsigned near;                    /* from how far away decoding may arrive at a target */
	uint8_t slot[ZL_READING_SLOTS];   /* hashed by offset: index into the arrays below, plus 1; 0: free */
	uint16_t at[ZL_MOST_DECODED];
	struct zl_insn insn[ZL_MOST_DECODED];
};

/* pre: zl_decoder != NULL */
void zl_reading_begin(struct zl_reading *reading, const struct zl_code *code);
/* The same of any bytes. */
void zl_reading_begin_bytes(struct zl_reading *reading, const uint8_t *bytes, unsigned size);

/* The instruction that begins at the offset `at`; its length is 0 if there is none. NULL if that would be one too
 * many, or `at` is not in the code. */
const struct zl_insn *zl_read(struct zl_reading *reading, unsigned at);

/* Which of the decoded ones that is; ZL_MOST_DECODED for padding, which is not decoded. */
static inline unsigned zl_reading_index(const struct zl_reading *reading, const struct zl_insn *insn)
{
	uintptr_t offset = (uintptr_t)insn - (uintptr_t)reading->insn;

	return offset < sizeof(reading->insn) ? (unsigned)(offset / sizeof(*insn)) : ZL_MOST_DECODED;
}

/* How many more can be decoded. */
static inline unsigned zl_reading_left(const struct zl_reading *reading)
{
	return ZL_MOST_DECODED - reading->decoded;
}

#endif
