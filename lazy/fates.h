/* fates.h - does an instruction begin at an offset of some code?
 *
 * Two ways to find out. From an offset where an instruction is known to begin, decoding goes forward and either
 * arrives at the target or not: zl_fates_from().
 *
 * Without such an offset, instructions can't be decoded backward. So each offset before the target, the nearest
 * first, gets a fate: decoding from there on lands exactly on the target (HITS), steps over it (MISSES), or ends at
 * bytes that are no instruction (DEAD). An instruction has at most 15 bytes, so among any 15 consecutive offsets
 * inside code at least one is a true beginning, and a true beginning is never dead. Hence:
 *
 *   15 consecutive offsets, one at least HITS, none MISSES   ->  the true decoding hits: an instruction of its own
 *   15 consecutive offsets, one at least MISSES, none HITS   ->  the true decoding misses: inside another one
 *
 * The first such run decides. x86 code resynchronises within a few instructions, so it is found 20 to 40 bytes
 * before the target. Dead offsets don't count: what is not code doesn't run into the target.
 *
 * Where readable memory begins before a run is found, nothing before it is executed, so a run that reaches up to
 * there counts as whole; a target that is the first readable byte is inside nothing. Else the mapping most likely
 * begins with an instruction: the first offset that is not dead says what is likely. Where the whole window has no
 * such run, nothing is known.
 */
#ifndef ZL_LAZY_FATES_H
#define ZL_LAZY_FATES_H

#include "lazy/reading.h"

enum zl_fate { ZL_FATE_UNKNOWN, ZL_FATE_DEAD, ZL_FATE_HITS, ZL_FATE_MISSES };

/* Decode from the offset `at`, where an instruction begins. UNKNOWN if the target is too far or before it, or something
 * is no instruction. */
enum zl_fate zl_fates_from(struct zl_reading *reading, unsigned at, unsigned target);

/* What the offsets before the target say. */
enum zl_fates_end {
	ZL_FATES_NO,           /* inside another instruction, or undecided */
	ZL_FATES_AGREE,        /* a run says that an instruction begins there */
	ZL_FATES_FIRST,        /* no run does, but decoding from where readable memory begins */
};

/* The nearest `dead` offsets are taken as dead without a look. pre: bytes[0] is the first readable byte, or
 * ZL_JUDGE_BEFORE before the target at least. */
enum zl_fates_end zl_fates_behind(struct zl_reading *reading, unsigned target, unsigned dead);

#endif
