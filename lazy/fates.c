/* fates.c - see fates.h */
#include "lazy/fates.h"
#include "base/poison.h"

enum { LONGEST_INSN = 15 };

/* What is known of the offsets before the target. */
struct fates {
	unsigned target;
	uint8_t of[ZL_JUDGE_BEFORE + 1];   /* enum zl_fate, by distance from the target */
};

/* UNKNOWN if too many instructions have been decoded. */
static enum zl_fate fate_at(struct zl_reading *reading, const struct fates *fates, unsigned distance)
{
	const struct zl_insn *insn = zl_read(reading, fates->target - distance);

	if (!insn)
		return ZL_FATE_UNKNOWN;
	if (insn->length == 0)
		return ZL_FATE_DEAD;
	if (insn->length < distance)
		return fates->of[distance - insn->length];
	return insn->length == distance ? ZL_FATE_HITS : ZL_FATE_MISSES;
}

/* The fate of the first offset that is not dead. */
static enum zl_fate first_fate(const struct fates *fates, unsigned distance)
{
	while (distance > 0 && fates->of[distance] == ZL_FATE_DEAD)
		distance--;
	return distance > 0 ? fates->of[distance] : ZL_FATE_MISSES;
}

enum zl_fates_end zl_fates_behind(struct zl_reading *reading, unsigned target, unsigned dead)
{
	enum { HITS = ZL_FATE_HITS, MISSES = ZL_FATE_MISSES };
	unsigned since[MISSES + 1] = { 0 }, run[MISSES + 1] = { 0 };
	unsigned most = target < ZL_JUDGE_BEFORE ? target : ZL_JUDGE_BEFORE;
	struct fates fates;

	fates.target = target;
	for (unsigned distance = 1; distance <= most; distance++) {
		enum zl_fate fate = distance <= dead ? ZL_FATE_DEAD : fate_at(reading, &fates, distance);

		if (fate == ZL_FATE_UNKNOWN)
			return ZL_FATES_NO;
		fates.of[distance] = (uint8_t)fate;
		/* run[f]: consecutive offsets without the opposite of f; since[f]: how many of them are f */
		run[HITS]++;
		run[MISSES]++;
		since[fate]++;
		if (fate == ZL_FATE_HITS)
			run[MISSES] = since[MISSES] = 0;
		if (fate == ZL_FATE_MISSES)
			run[HITS] = since[HITS] = 0;
		if (run[HITS] >= LONGEST_INSN && since[HITS])
			return ZL_FATES_AGREE;
		if (run[MISSES] >= LONGEST_INSN && since[MISSES])
			return ZL_FATES_NO;
	}
	if (run[HITS] == most && (since[HITS] || most == 0))
		return ZL_FATES_AGREE;
	if (most < ZL_JUDGE_BEFORE && first_fate(&fates, most) == ZL_FATE_HITS)
		return ZL_FATES_FIRST;
	return ZL_FATES_NO;
}

enum zl_fate zl_fates_from(struct zl_reading *reading, unsigned at, unsigned target)
{
	if (target < at || target - at > reading->near)
		return ZL_FATE_UNKNOWN;
	while (at < target) {
		const struct zl_insn *insn = zl_read(reading, at);

		if (!insn || insn->length == 0)
			return ZL_FATE_UNKNOWN;
		at += insn->length;
	}
	return at == target ? ZL_FATE_HITS : ZL_FATE_MISSES;
}
