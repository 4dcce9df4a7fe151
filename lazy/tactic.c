/* tactic.c - see tactic.h
 *
 * `call *%rax` goes first where page zero is in place, nothing is kept where it would push, and the number is a
 * constant that is moved to eax right before. Then the jumps (jump.c), which write nothing to the stack and don't branch to rax.
 * Last `call *%rax` with any number: one outside the sled faults, or reaches code that lies at just that address.
 *
 * In memory that the program can write `call *%rax` alone is possible: the entry looks at the code of each call. In
 * memory of no module or file, where generated code is, so it is by default, too (ZLAZY_JIT).
 */
#include "lazy/tactic.h"
#include "base/string.h"
#include "lazy/bytes.h"
#include "lazy/cave.h"
#include "lazy/codefd.h"
#include "lazy/jump.h"
#include "lazy/judge.h"
#include "lazy/maps.h"
#include "lazy/patch.h"
#include "lazy/reading.h"
#include "lazy/sites.h"
#include "lazy/straight.h"
#include <linux/mman.h>
#include "base/poison.h"

struct zl_tactics zl_tactics;

/* A site, while its tactic is being chosen. */
struct zl_case {
	struct zl_reading *reading;
	uintptr_t site;
	uint64_t number;               /* rax */
};

static bool call_applies(struct zl_case *c, struct zl_choice *choice)
{
	enum zl_verdict verdict = zl_tactics.may_call ? zl_judge_stack(c->reading) : ZL_NO_ROOM;

	choice->may_call = verdict == ZL_OK;
	choice->verdict = verdict;
	choice->prefers_call = choice->may_call && zl_judge_is_described(c->reading->code, c->number);
	return choice->prefers_call;
}

static bool mov_applies(struct zl_case *c, struct zl_choice *choice)
{
	struct zl_jump *jump = &choice->jump;
	const struct zl_code *code = c->reading->code;

	jump->length = zl_tactics.may_jump ? zl_straight_mov(c->reading, c->number) : 0;
	memcpy(jump->displaced, code->bytes + code->site_offset - jump->length, jump->length);
	return jump->length != 0;
}

static struct zl_cave_search search;   /* under the judge's lock */

static bool is_taken(uintptr_t start, uintptr_t end)
{
	uintptr_t first = start - (ZL_JUMP_SIZE - 1);
	return zl_stubs_claim(first < search.begin ? search.begin : first, end, start, search.site + ZL_SITE_SIZE);
}

static bool cave_applies(struct zl_case *c, struct zl_choice *choice)
{
	struct zl_jump *jump = &choice->jump;

	if (!zl_tactics.may_jump || !zl_cave_read(c->site, &search))
		return false;
	zl_stubs_restore(search.bytes, search.begin, search.size);
	search.is_taken = is_taken;
	jump->cave = zl_cave_find(&search);
	if (!jump->cave)
		return false;
	memcpy(jump->padding, search.bytes + (jump->cave - search.begin), ZL_JUMP_SIZE);
	return true;
}

static long call_apply(struct zl_leaf *leaf, uintptr_t after, enum zl_site_state state, const struct zl_jump *jump)
{
	long result;

	(void)jump;
	zl_site_publish(leaf, after, state);
	result = zl_patch_apply(after - ZL_SITE_SIZE, state);
	if (result != ZL_OK)
		zl_site_retract(leaf, after);
	return result;
}

static bool call_undo(uintptr_t after, enum zl_site_state state)
{
	return zl_patch_undo(after - ZL_SITE_SIZE, state);
}

static bool call_is_there(uintptr_t after, enum zl_site_state state)
{
	uint8_t bytes[ZL_SITE_SIZE];
	(void)state;
	return zl_codefd_read(bytes, after - ZL_SITE_SIZE, sizeof(bytes)) && bytes[1] == ZL_NEW_SECOND &&
	       (bytes[0] == ZL_NEW_FIRST || bytes[0] == ZL_OLD_FIRST);
}

static long jump_apply(struct zl_leaf *leaf, uintptr_t after, enum zl_site_state state, const struct zl_jump *jump)
{
	(void)state;
	return zl_jump_apply(leaf, after, jump);
}

static bool jump_undo(uintptr_t after, enum zl_site_state state)
{
	(void)state;
	return zl_jump_undo(after);
}

static bool jump_is_there(uintptr_t after, enum zl_site_state state)
{
	(void)state;
	return zl_jump_is_there(after);
}

const struct zl_tactic zl_tactic[ZL_TACTIC_KINDS] = {
	[ZL_TACTIC_CALL] = { "call", call_applies, call_apply, call_undo, call_is_there },
	[ZL_TACTIC_MOV] = { "mov", mov_applies, jump_apply, jump_undo, jump_is_there },
	[ZL_TACTIC_CAVE] = { "cave", cave_applies, jump_apply, jump_undo, jump_is_there },
};

const struct zl_tactic *zl_tactic_of(uintptr_t after, enum zl_site_state state)
{
	if (state != ZL_SITE_JUMPED)
		return &zl_tactic[ZL_TACTIC_CALL];
	return &zl_tactic[zl_stub_find(after)->cave ? ZL_TACTIC_CAVE : ZL_TACTIC_MOV];
}

/* In generated code padding may be data, and a jump, unlike a call, can't be copied elsewhere with it. */
static bool may_jump_at(uintptr_t site, const struct zl_choice *choice)
{
	struct zl_mapping mapping;

	if (choice->is_of_module || (zl_jit == ZL_JIT_PATCH && !choice->jump.cave))
		return true;
	return zl_maps_find(site, &mapping) == 0 && mapping.has_file;
}

/* What is known of the site's page holds for a byte of another one, too: it is private, and the program can't write
 * there. */
static bool is_closed(uintptr_t address, uintptr_t site)
{
	struct zl_mapping mapping;

	return address / ZL_PAGE == site / ZL_PAGE ||
	       (zl_maps_find(address, &mapping) == 0 && !(mapping.protection & PROT_WRITE) && !mapping.is_shared &&
		!mapping.is_view);
}

static bool lies_in_closed(uintptr_t site, const struct zl_jump *jump)
{
	uintptr_t first = jump->cave ? jump->cave : site - jump->length;

	return is_closed(first, site) && is_closed(first + ZL_JUMP_SIZE - 1, site);
}

static bool has_jump(const struct zl_jump *jump)
{
	return jump->length || jump->cave;
}

const struct zl_tactic *zl_tactic_take(const struct zl_choice *choice, uintptr_t site, enum zl_site_state *state)
{
	if (*state == ZL_SITE_PATCHED && has_jump(&choice->jump) && !(choice->may_call && choice->prefers_call) &&
	    may_jump_at(site, choice) && lies_in_closed(site, &choice->jump)) {
		*state = ZL_SITE_JUMPED;
		return &zl_tactic[choice->jump.cave ? ZL_TACTIC_CAVE : ZL_TACTIC_MOV];
	}
	return choice->may_call ? &zl_tactic[ZL_TACTIC_CALL] : NULL;
}

void zl_tactic_choose(const struct zl_code *code, uintptr_t site, uint64_t number, struct zl_choice *choice)
{
	struct zl_reading reading;
	struct zl_case c = { &reading, site, number };

	*choice = (struct zl_choice){ .verdict = zl_judge_first(code), .is_of_module = code->has_function };
	if (choice->verdict != ZL_OK)
		return;
	zl_reading_begin(&reading, code);
	if (!zl_tactics.may_call)   /* nothing else has to be decoded */
		reading.near = ZL_READING_FAR;
	if (!zl_judge_is_instruction(&reading)) {
		choice->verdict = ZL_INSIDE;
		return;
	}
	for (unsigned i = 0; i < ZL_TACTIC_KINDS; i++)
		if (zl_tactic[i].applies(&c, choice)) {
			choice->verdict = ZL_OK;
			return;
		}
}
