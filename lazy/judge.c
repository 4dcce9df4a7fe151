/* judge.c - whether a site may become `call *%rax`: is it an instruction of its own, and who knows its bytes?
 *
 * Called once a site, by the SIGSYS handler, before the site gets its tactic. The third question, whether the
 * pushed return address would overwrite data, is answered by whole.c where the function is known, else by redzone.c.
 *
 * A site was executed, which proves that a jump or the flow of control reaches it; it doesn't prove that no other
 * instruction contains it (`b8 0f 05 00 00`). Only the bytes before it can tell.
 *
 * The unwind table knows where some instructions begin: the function's first, and where the CFA changes. If one of them
 * is near, decoding goes from there and either arrives at the site or not.
 *
 * Otherwise there is no beginning to start from, and instructions can't be decoded backward. So each offset before the
 * site, the nearest first, gets a fate: decoding from there on lands exactly on the site (HITS), steps over it
 * (MISSES), or ends at bytes that are no instruction (DEAD). An instruction has
 * at most 15 bytes, so among any 15 consecutive offsets inside code at least one is a true beginning, and a true
 * beginning is never dead. Hence:
 *
 *   15 consecutive offsets, one at least HITS, none MISSES   ->  the true decoding hits: an instruction of its own
 *   15 consecutive offsets, one at least MISSES, none HITS   ->  the true decoding misses: inside another one
 *
 * The first such run decides. x86 code resynchronises within a few instructions, so it is found 20 to 40 bytes
 * before the site. Dead offsets don't count: what is not code doesn't run into the site.
 *
 * Where readable memory begins before a run is found, nothing before it is executed, and the mapping most likely
 * begins with an instruction: the first offset that is not dead decides. A site that is the first readable byte is
 * inside nothing. Where the whole window has no such run, the site is undecidable and counts as inside.
 *
 * What precedes the site need not be code (a JIT buffer with garbage before it): then chance decides where decoding
 * arrives, and it may step into the middle of the program's own `mov $nr,%eax`. So when the bytes before the site
 * are such a mov with a number under 4096, the offsets of its three high number bytes (`0x 00 00`) are taken as dead:
 * an instruction that begins there is `add %al,(%rax)` or `add %cl,(%rdi)` by accident, not code. An instruction that
 * contains the mov and the site both (movabs, a displacement with an immediate) begins before the mov or with the
 * lowest number byte, still misses, and is refused.
 */
#include "lazy/judge.h"
#include "lazy/decoder.h"
#include "lazy/reading.h"
#include "lazy/redzone.h"
#include "lazy/whole.h"
#include <asm/unistd.h>
#include <stddef.h>
#include "base/poison.h"

enum fate { UNKNOWN, DEAD, HITS, MISSES };
enum { LONGEST_INSN = 15, NUMBER_LIMIT = 4096, NEAR = 160 };

/* What is known of the offsets before the site. */
struct fates {
	uint8_t of[ZL_JUDGE_BEFORE + 1];   /* enum fate, by distance from the site */
};

const struct zl_decoder *zl_decoder;

/* Whether the site is preceded by `b8 imm32` or `48 c7 c0 imm32`; stores imm32. */
static bool loads_number(const struct zl_code *code, uint32_t *number)
{
	const uint8_t *site = code->bytes + code->site_offset;
	bool is_short = code->site_offset >= 5 && site[-5] == 0xb8;
	bool is_long = code->site_offset >= 7 && site[-7] == 0x48 && site[-6] == 0xc7 && site[-5] == 0xc0;

	if (!is_short && !is_long)
		return false;
	*number = site[-4] | site[-3] << 8 | site[-2] << 16 | (uint32_t)site[-1] << 24;
	return true;
}

/* UNKNOWN if too many instructions have been decoded. */
static enum fate fate_at(struct zl_reading *reading, const struct fates *fates, unsigned distance)
{
	const struct zl_insn *insn = zl_read(reading, reading->code->site_offset - distance);

	if (!insn)
		return UNKNOWN;
	if (insn->length == 0)
		return DEAD;
	if (insn->length < distance)
		return fates->of[distance - insn->length];
	return insn->length == distance ? HITS : MISSES;
}

/* The fate of the first offset that is not dead; HITS if there is no readable byte before the site. */
static enum fate first_fate(const struct fates *fates, unsigned distance)
{
	if (distance == 0)
		return HITS;
	while (distance > 0 && fates->of[distance] == DEAD)
		distance--;
	return distance > 0 ? fates->of[distance] : MISSES;
}

/* Whether the site is an instruction of its own, as the file's head says, found out backward. */
static bool is_instruction(struct zl_reading *reading, struct fates *fates)
{
	const struct zl_code *code = reading->code;
	unsigned since[MISSES + 1] = { 0 }, run[MISSES + 1] = { 0 }, most = code->site_offset;
	uint32_t number = NUMBER_LIMIT;
	bool has_number = loads_number(code, &number) && number < NUMBER_LIMIT;

	if (most > ZL_JUDGE_BEFORE)
		most = ZL_JUDGE_BEFORE;
	for (unsigned distance = 1; distance <= most; distance++) {
		enum fate fate = has_number && distance <= 3 ? DEAD : fate_at(reading, fates, distance);

		if (fate == UNKNOWN)
			return false;
		fates->of[distance] = (uint8_t)fate;
		/* run[f]: consecutive offsets without the opposite of f; since[f]: how many of them are f */
		run[HITS]++;
		run[MISSES]++;
		since[fate]++;
		if (fate == HITS)
			run[MISSES] = since[MISSES] = 0;
		if (fate == MISSES)
			run[HITS] = since[HITS] = 0;
		if (run[HITS] >= LONGEST_INSN && since[HITS])
			return true;
		if (run[MISSES] >= LONGEST_INSN && since[MISSES])
			return false;
	}
	return most < ZL_JUDGE_BEFORE && first_fate(fates, most) == HITS;
}

/* Decode from an offset where an instruction begins. UNKNOWN if that is too far, or something is no instruction. */
static enum fate fate_from(struct zl_reading *reading, unsigned at)
{
	unsigned site = reading->code->site_offset;

	if (site - at > NEAR)
		return UNKNOWN;
	while (at < site) {
		const struct zl_insn *insn = zl_read(reading, at);

		if (!insn || insn->length == 0)
			return UNKNOWN;
		at += insn->length;
	}
	return at == site ? HITS : MISSES;
}

/* With a function around the site. */
static enum zl_verdict judge_in_function(struct zl_reading *reading)
{
	const struct zl_code *code = reading->code;
	struct fates fates;
	enum fate fate = fate_from(reading, zl_function_row(&code->function, code->site_offset)->at);

	if (fate == MISSES || (fate == UNKNOWN && !is_instruction(reading, &fates)))
		return ZL_INSIDE;
	return zl_whole_judge(reading);
}

static enum zl_verdict judge_in_window(struct zl_reading *reading)
{
	struct fates fates;

	if (!is_instruction(reading, &fates))
		return ZL_INSIDE;
	return zl_redzone_judge(reading);
}

bool zl_judge_is_restorer(const struct zl_code *code)
{
	uint32_t number;

	return loads_number(code, &number) && number == __NR_rt_sigreturn;
}

enum zl_verdict zl_judge(const struct zl_code *code)
{
	struct zl_reading reading;

	if (zl_judge_is_restorer(code))
		return ZL_SIGRETURN;
	if (zl_decoder == NULL)
		return ZL_NO_DECODER;
	if (code->is_too_long)
		return ZL_TOO_LONG;
	zl_reading_begin(&reading, code);
	return code->has_function ? judge_in_function(&reading) : judge_in_window(&reading);
}
