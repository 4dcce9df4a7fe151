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
 * Otherwise there is no beginning to start from, and the fates of the offsets before the site tell (fates.h). Where
 * they don't, the site counts as inside.
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
#include "lazy/fates.h"
#include "lazy/reading.h"
#include "lazy/redzone.h"
#include "lazy/whole.h"
#include <asm/unistd.h>
#include <stddef.h>
#include "base/poison.h"

enum { NUMBER_LIMIT = 4096, HIGH_BYTES = 3 };

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

/* Whether the site is an instruction of its own, as the file's head says, found out backward. */
static bool is_instruction(struct zl_reading *reading)
{
	uint32_t number = NUMBER_LIMIT;
	bool has_number = loads_number(reading->code, &number) && number < NUMBER_LIMIT;
	enum zl_fates_end end = zl_fates_behind(reading, reading->code->site_offset, has_number ? HIGH_BYTES : 0);

	return end == ZL_FATES_AGREE || end == ZL_FATES_FIRST;
}

bool zl_judge_is_instruction(struct zl_reading *reading)
{
	const struct zl_code *code = reading->code;
	enum zl_fate fate = ZL_FATE_UNKNOWN;

	if (code->has_function)
		fate = zl_fates_from(reading, zl_function_row(&code->function, code->site_offset)->at, code->site_offset);
	return fate == ZL_FATE_UNKNOWN ? is_instruction(reading) : fate == ZL_FATE_HITS;
}

bool zl_judge_is_restorer(const struct zl_code *code)
{
	uint32_t number;

	return loads_number(code, &number) && number == __NR_rt_sigreturn;
}

bool zl_judge_is_described(const struct zl_code *code, uint64_t number)
{
	uint32_t loaded;

	return loads_number(code, &loaded) && loaded == number;
}

enum zl_verdict zl_judge_first(const struct zl_code *code)
{
	if (zl_judge_is_restorer(code))
		return ZL_SIGRETURN;
	return zl_decoder ? ZL_OK : ZL_NO_DECODER;
}

enum zl_verdict zl_judge_stack(struct zl_reading *reading)
{
	if (reading->code->is_too_long)
		return ZL_TOO_LONG;
	return reading->code->has_function ? zl_whole_judge(reading) : zl_redzone_judge(reading);
}

enum zl_verdict zl_judge(const struct zl_code *code)
{
	enum zl_verdict verdict = zl_judge_first(code);
	struct zl_reading reading;

	if (verdict != ZL_OK)
		return verdict;
	zl_reading_begin(&reading, code);
	return zl_judge_is_instruction(&reading) ? zl_judge_stack(&reading) : ZL_INSIDE;
}
